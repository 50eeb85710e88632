"""The log of events, with a picture and a clip of each."""
