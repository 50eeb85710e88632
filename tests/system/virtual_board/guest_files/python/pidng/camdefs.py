Picamera2Camera = None
