"""Score networks of images behind one interface, `NetworkScore.score(x, level)`: pretrained
ones, loaded strictly.
"""
