"""The pages as a browser sees them: each target of the web design, measured. `make bench-web`."""
