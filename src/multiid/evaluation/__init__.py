"""Who is in a picture, and what figures say of it: matching and metrics, for any face analyzer."""
