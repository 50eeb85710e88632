"""What happens in front of the camera: places, rules and counts, from the tracks of each scene."""
