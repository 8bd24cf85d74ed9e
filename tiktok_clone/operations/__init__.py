"""What whoever runs the site needs: backups, figures, checks."""
