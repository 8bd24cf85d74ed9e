"""The floor every app stands on: errors, jobs, signing, storage, and what the APIs share."""
