"""Random programs of all drawing forms, for comparison with other renderers."""

from random import Random

PROGRAMS, SEED, SIDE = 320, 1, 128

# N is a place on the canvas, S a size, A an angle, C a channel, W a weight.
SETTINGS = """(fill C C C) (fill C) (fill C C) (fill C C C C) (no-fill) (stroke C C C)
(stroke C C C C) (stroke C) (no-stroke)
(stroke-weight W) (stroke-cap :round) (stroke-cap :square) (stroke-cap :project) (stroke-join :miter)
(stroke-join :bevel) (stroke-join :round) (rect-mode :corner) (rect-mode :corners) (rect-mode :center)
(rect-mode :radius) (ellipse-mode :center) (ellipse-mode :corner) (ellipse-mode :corners) (ellipse-mode :radius)
(background C C C)"""
SHAPES = """(rect N N S S) (rect N N S S R) (rect N N S S R R R R) (ellipse N N S S) (arc N N S S A B)
(arc N N S S A B :open) (arc N N S S A B :chord) (arc N N S S A B :pie) (line N N N N) (point N N)
(triangle N N N N N N) (quad N N N N N N N N) (bezier N N N N N N N N) (curve N N N N N N N N)
(begin-shape)_(vertex_N_N)_(vertex_N_N)_(bezier-vertex_N_N_N_N_N_N)_(vertex_N_N)_(end-shape)
(begin-shape)_(vertex_N_N)_(quadratic-vertex_N_N_N_N)_(quadratic-vertex_N_N_N_N)_(end-shape_:close)
(begin-shape)_(vertex_N_N)_(bezier-vertex_N_N_N_N_N_N)_(quadratic-vertex_N_N_N_N)_(end-shape_:close)
(begin-shape)_(curve-vertex_N_N)_(curve-vertex_N_N)_(curve-vertex_N_N)_(curve-vertex_N_N)
_(curve-vertex_N_N)_(end-shape)
(begin-shape)_(vertex_5_5)_(vertex_120_9)_(vertex_N_N)
_(begin-contour)_(vertex_N_N)_(vertex_N_N)_(vertex_N_N)_(end-contour)_(end-shape_:close)
(begin-shape)_(vertex_5_5)_(vertex_120_9)_(vertex_110_120)_(vertex_N_N)
_(begin-contour)_(curve-vertex_N_N)_(curve-vertex_N_N)_(curve-vertex_N_N)_(curve-vertex_N_N)_(end-contour)
_(begin-contour)_(vertex_N_N)_(bezier-vertex_N_N_N_N_N_N)_(vertex_N_N)_(end-contour)_(end-shape)"""
SCOPES = """(with-translation_[S_S]_*) (with-rotation_[A]_*) (push-matrix)_(translate_S_S)_(rotate_A)_*_(pop-matrix)
(push-matrix)_(scale_F)_*_(pop-matrix) (push-matrix)_(scale_F_F)_*_(pop-matrix) (push-matrix)_(shear-x_F)_*_(pop-matrix)
(push-matrix)_(shear-y_F)_*_(pop-matrix) (dotimes_[i_3]_(translate_9_4)_*) (when_true_*) (if_nil_(point_1_1)_(do_*))"""


def _split(text: str) -> list[str]:
    """The forms of a table: `_` joins the words of one that is longer than a bracket."""
    forms, depth = [""], 0
    for character in " ".join(text.split()).replace(" _", "_"):
        depth += (character in "([") - (character in ")]")
        if character == " " and not depth:
            forms.append("")
        else:
            forms[-1] += " " if character == "_" else character
    return forms


def _form(random: Random, template: str) -> str:
    """A template with numbers for its capital letters and a shape for its star."""
    draw = {
        "N": lambda: random.choice((random.randint(-10, 138), round(random.uniform(0, 128), 2))),
        "S": lambda: random.choice((random.randint(4, 70), round(random.uniform(1, 60), 2))),
        "R": lambda: random.randint(0, 20),
        "A": lambda: round(random.uniform(-2, 2), 2),
        "B": lambda: round(random.uniform(0, 7), 2),
        "C": lambda: random.randint(0, 255),
        "W": lambda: random.choice((0, 0.5, 1, 2, 3.5, 9)),
        "F": lambda: random.choice(
            (0.25, 0.5, 0.75, 1.25, 1.75)
        ),  # exact in single precision: else 45 x 1.8 < 81 there
        "*": lambda: _form(random, random.choice(_split(SHAPES))),
    }
    words = template.replace("(", "( ").replace(")", " )").replace("[", "[ ").replace("]", " ]").split()
    return " ".join(str(draw[word]()) if word in draw else word for word in words).replace("( ", "(")


def random_program(number: int) -> str:
    """The text of a program of 3 to 8 shapes with all sorts of settings and scopes, the same for the same number."""
    random = Random(f"{SEED} {number}")
    forms = [f"(size {SIDE} {SIDE})"]
    for _ in range(random.randint(3, 8)):
        forms += [_form(random, random.choice(_split(SETTINGS))) for _ in range(random.randint(0, 3))]
        forms.append(_form(random, random.choice(_split(random.choice((SHAPES, SHAPES, SCOPES))))))
    return "\n".join(forms)
