"""How the samplers of graphs are drawn; those that the library has too are drawn as there."""

from ams.samplers import looks
from ams.samplers.looks import BLACK, BLUE, ORANGE, PINK, RED, SKY

_OWN = {
    "predictor alone": (BLUE, "o", "-"),
    "PC, Langevin, full noise": (SKY, "v", "--"),
    "PC, Langevin, noise 0.6": (SKY, ">", "-."),
    "PC, adaptive, noise 0.6": (PINK, "X", "-."),
    "PC, adaptive in both": (RED, "s", "--"),
    "PC, constant in both": (ORANGE, "^", ":"),
    "PC, Leimkuhler-Matthews": (BLUE, "p", "--"),
    "PC, adaptive, each alone": (BLACK, "d", ":"),
    "S4": (SKY, "*", ":"),
}
LOOKS = looks.LOOKS | looks.looks({"Graphs": _OWN})
