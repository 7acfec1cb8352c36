"""The miniature's figures: what it gets right, measured on people and scenes that nothing was trained on."""
