"""Stories: pages of panels whose characters stay themselves, from a script to finished comic pages."""
