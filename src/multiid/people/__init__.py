"""Photos, faces, ID encoders, adapters and identities."""
