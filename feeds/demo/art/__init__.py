"""Small pieces of motion art, one generator of frames each, all of them loops."""
