"""Show and tell: programs come back from their tokens, a batch can be learnt by heart, under the mask all is valid."""

from pathlib import Path

import numpy as np
import pytest
import torch

from treesketch.actions import PLACES, load_vocabulary
from treesketch.check import check
from treesketch.derivation import UnencodableError
from treesketch.experiments.loop import load_system
from treesketch.experiments.pairs import load_pairs
from treesketch.experiments.show_and_tell import ShowAndTell, Teller
from treesketch.experiments.spelling import UNTAUGHT, DecisionSpelling, SourceSpelling
from treesketch.experiments.tokens import END, PIECES, load_tokens
from treesketch.language import load_language
from treesketch.sampling import SAMPLERS, sample_program
from treesketch.shards.store import TRAIN
from treesketch.syntax import parse, unparse
from treesketch.tree import count

CONFIGS = Path(__file__).resolve().parent.parent / "configs"
FORMS = {"text": "show_and_tell", "attention": "show_and_tell_attention", "mask": "show_and_tell_mask"}


@pytest.fixture(autouse=True)
def one_thread() -> object:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def system_of(form: str, shards: Path, *overrides: str) -> ShowAndTell:
    """One of the three forms, small."""
    small = [f"shards={shards}", "width=32", "channels=16", "longest=700", *overrides]
    system = load_system("show-and-tell", CONFIGS / f"{FORMS[form]}.toml", small)
    assert isinstance(system, ShowAndTell)
    return system


def teller_of(system: ShowAndTell) -> Teller:
    module = system.build()
    assert isinstance(module, Teller)
    return module


# Tokens


@pytest.mark.parametrize("kind", sorted(SAMPLERS))
def test_sampled_programs_come_back_from_their_tokens(kind: str) -> None:
    tokens = load_tokens()
    for seed in range(60):
        program = sample_program(kind, np.random.default_rng(seed))
        spelt = tokens.encode(unparse(program))
        assert spelt[-1] == END and spelt.count(END) == 1
        assert parse(tokens.decode(spelt)) == program


@pytest.mark.parametrize("number", ["0", "255", "-64", "256", "-65", "-0.18", "15.5", "-1e999", "1e-07", "1234.5678"])
def test_any_number_is_spelt(number: str) -> None:
    text = f"(rotate {number}) (rect {number} {number} (+ 5 {number}) (- {number} 5))"
    assert parse(load_tokens().decode(load_tokens().encode(text))) == parse(text)


def test_tokens_are_the_grammars_words() -> None:
    tokens, language = load_tokens(), load_language()
    assert {word for word in language.words} <= set(tokens.words) and {"(", "]", ":close", "PI", "i"} <= set(
        tokens.words
    )
    assert len(set(tokens.words)) == len(tokens.words) and len(tokens) == 1 + len(tokens.words) + len(PIECES)
    assert len(tokens.encode("(rect 1 2 -3 4.5)")) == 9  # ( rect 1 2 -3 4 .5 ) and the end
    assert tokens.decode(tokens.encode("(defn f1 [a] (line a 1 a 9))  ; why\n(f1 3)")) == (
        "(defn f1 [a] (line a 1 a 9)) (f1 3)"
    )
    with pytest.raises(UnencodableError, match="no tokens for 'foo'"):
        tokens.encode("(def foo 3)")


def test_any_tokens_are_some_text() -> None:
    tokens, rng = load_tokens(), np.random.default_rng(0)
    for _ in range(300):
        some = rng.integers(1, len(tokens), rng.integers(0, 30)).tolist()
        text = tokens.decode([*some, END, 5])
        assert tokens.decode(some) == text and "\n" not in text
    assert tokens.decode([END, 5]) == ""


# Spelling


def test_text_that_is_too_long_is_cut_off() -> None:
    spelling = SourceSpelling(load_tokens(), 6)
    picture, rng = np.ones((64, 64, 3), np.float32), np.random.default_rng(0)
    assert load_tokens().decode(spelling.spell("(fill 1 2 3) (rect 1 2 3 4)", picture, rng).tokens) == "(fill 1 2 3)"
    telling = spelling.begin(picture)
    for _ in range(6):
        assert not telling.done and telling.legal is None
        telling.take(9)
    assert telling.done and len(load_tokens().encode(telling.text())) == 6 + 1


def test_decisions_that_are_told_write_the_program_that_was_spelt(pairs_folder: Path) -> None:
    pairs, rng = load_pairs(pairs_folder, TRAIN), np.random.default_rng(0)
    spelling = DecisionSpelling(load_vocabulary(), 512)
    told = 0
    for number in range(len(pairs)):
        picture = pairs.picture(number).astype(np.float32) / 255
        tokens, legal = spelling.spell(pairs.programs[number], picture, rng)
        assert legal is not None and legal.shape == (len(tokens), spelling.size)
        assert all(legal[k, token] for k, token in enumerate(tokens) if token != UNTAUGHT)
        if UNTAUGHT in tokens:
            continue
        told += 1
        telling = spelling.begin(picture)
        for k, token in enumerate(tokens):
            assert not telling.done and telling.legal is not None and telling.legal[token]
            assert k == 0 or telling.legal.sum() <= legal[k].sum()  # a budget forbids, and allows nothing else
            telling.take(token)
        assert telling.done
        truth, written = parse(pairs.programs[number]), parse(telling.text())
        assert [form.production for form in written.children] == [form.production for form in truth.children]
        for wanted, got in zip(truth.children, written.children, strict=True):
            if wanted.production == "rect" and all(part.production == "point" for part in wanted.children[:1]):
                corner = [float(child.value or 0) for child in wanted.children[0].children]
                place = [float(child.value or 0) for child in got.children[0].children]
                near = np.abs(np.clip(corner, -16, 144) - place)  # places stand 4 units apart, from -16 to 144
                assert near.max() <= 2
    assert told > 10


def test_colours_are_told_by_places_on_the_canvas() -> None:
    spelling = DecisionSpelling(load_vocabulary(), 512)
    rows, columns = spelling.lines(load_vocabulary().action_index["locate:color"])
    assert rows.nonzero()[0].tolist() == list(range(spelling.rows + 4, spelling.rows + 36))  # 0 to 124 by 4
    assert columns.nonzero()[0].tolist() == list(range(spelling.columns + 4, spelling.columns + 36))
    anywhere, _ = spelling.lines(load_vocabulary().action_index["locate:point"])
    assert anywhere.sum() == PLACES
    picture, rng = np.zeros((64, 64, 3), np.float32), np.random.default_rng(0)
    picture[40, 20] = 1, 0, 0  # the pixel at place (40, 80), in canvas units
    tokens, _ = spelling.spell("(size 128 128) (background 255 0 0)", picture, rng)
    assert tokens[2:4] == [spelling.rows + (80 + 16) // 4, spelling.columns + (40 + 16) // 4]
    missing, _ = spelling.spell("(size 128 128) (background 0 255 0)", picture, rng)
    assert missing[2:4] == [UNTAUGHT, UNTAUGHT]


# The network


@pytest.mark.parametrize("form", sorted(FORMS))
def test_a_batch_is_learnt_by_heart(form: str, pairs_folder: Path) -> None:
    system = system_of(form, pairs_folder, "longest=60")
    module, rng = teller_of(system), np.random.default_rng(0)
    batch = system.make(system.pairs, range(2), rng)
    optimiser = torch.optim.Adam(module.parameters(), 0.01)
    first = losses = system.losses(module, batch, rng)
    for _ in range(25):
        optimiser.zero_grad()
        losses["loss"].backward()
        optimiser.step()
        losses = system.losses(module, batch, rng)
    assert losses["loss"].item() < first["loss"].item() / 2
    assert losses["program"].item() < first["program"].item() / 2


@pytest.mark.parametrize("form", sorted(FORMS))
def test_the_loss_is_that_of_one_program_after_the_other(form: str, pairs_folder: Path) -> None:
    """Blocks and padding change nothing: a token's loss is its surprise when all before it were told one by one."""
    system = system_of(form, pairs_folder)
    module = teller_of(system).eval()
    batch = system.make(system.pairs, range(3), np.random.default_rng(4))
    total, tokens = 0.0, 0
    with torch.no_grad():
        for block in batch.blocks:
            for k, row in enumerate(block.rows):
                seen, memory, heard = module.show(batch.pictures[row : row + 1].float() / 255), None, 0
                for at, token in enumerate(block.tokens[k].tolist()):
                    states, memory = module.tell(seen, torch.tensor([[heard]]), memory)
                    logits = module.logits(states[0, 0])
                    if block.legal is not None:
                        logits = (
                            logits[block.legal[k, at]]
                            if token == UNTAUGHT
                            else logits.where(block.legal[k, at], torch.tensor(float("-inf")))
                        )
                    heard = max(token, 0)
                    if token != UNTAUGHT:
                        total -= logits.log_softmax(0)[token].item()
                        tokens += 1
        loss = system.losses(module, batch, np.random.default_rng(4))
    assert loss["loss"].item() == pytest.approx(total / tokens, rel=1e-4)
    assert loss["program"].item() == pytest.approx(total / 3, rel=1e-4)


def test_whatever_is_told_under_the_mask_is_valid(pairs_folder: Path) -> None:
    """With random weights, some of them no numbers, for random pictures and budgets."""
    rng = np.random.default_rng(0)
    texts: list[tuple[int, str]] = []
    for budget in (3, 9, 16, 30):
        system = system_of("mask", pairs_folder, f"budget={budget}", f"seed={budget}")
        for number in range(8):
            module = teller_of(system).eval()
            with torch.no_grad():
                module.token.weight.mul_(4.0)
                module.bias.normal_(0, 2)
                if number == 7:
                    module.bias[::3] = float("nan")
            pictures = [rng.random((64, 64, 3)).astype(np.float32) for _ in range(4)]
            texts += [(budget, text) for text in system.write(module, pictures)]
    assert len(texts) == 128 and len({text for _, text in texts}) > 20
    for budget, text in texts:
        program = parse(text)
        assert check(program) == []
        assert count(program) - 3 <= budget + 1  # size has three nodes; the budget's are behind the program's own


@pytest.mark.parametrize("form", ["text", "attention"])
def test_text_is_told_to_its_end_or_to_the_longest(form: str, pairs_folder: Path) -> None:
    system = system_of(form, pairs_folder, "longest=30")
    module = teller_of(system).eval()
    pictures = [np.full((64, 64, 3), shade, np.float32) for shade in np.linspace(0, 1, 70)]
    texts = system.write(module, pictures)
    assert len(texts) == 70 and texts[:3] == system.write(module, pictures[:3])  # told alone or side by side
    assert all(len(load_tokens().encode(text)) <= 31 for text in texts if "-" not in text)
    with torch.no_grad():
        module.bias[END] = 1e9
    assert system.write(module, pictures[:2]) == ["", ""]


def test_attention_sees_where_things_are(pairs_folder: Path) -> None:
    """The three forms have what they say: only attention keeps the picture's cells."""
    for form in FORMS:
        system = system_of(form, pairs_folder)
        seen = teller_of(system).show(torch.rand(2, 3, 64, 64))
        assert seen.vector.shape == (2, 32)
        assert (
            (seen.cells is None)
            if form == "text"
            else (seen.cells is not None and seen.cells.shape == (2, 2, 2, 256, 16))
        )


@pytest.mark.parametrize("form", sorted(FORMS))
def test_sizes_are_those_of_the_tree_decoder(form: str, pairs_folder: Path) -> None:
    """Within one part in twenty, so that the comparison is one of what they know."""
    shards = [f"shards={pairs_folder}"]
    tree = load_system("tree", CONFIGS / "tree.toml", shards).build()
    told = load_system("show-and-tell", CONFIGS / f"{FORMS[form]}.toml", shards).build()
    sizes = [sum(p.numel() for p in module.parameters()) for module in (tree, told)]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.05)
