"""Who will like what: models learnt from what people did, and how good they are.

Pure: arrays in, arrays out. Nothing here knows where interactions come from.
"""
