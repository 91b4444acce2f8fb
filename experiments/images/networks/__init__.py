"""Score networks of images behind one face, `NetworkScore.score(x, level)`: pretrained ones, loaded strictly."""
