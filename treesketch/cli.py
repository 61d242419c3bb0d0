"""The command line: arguments in, files and exit codes out. 0 done, 1 the input is at fault, 2 the flags are.

Thin on purpose: a command reads its flags and calls the module that does the work, imported when it is needed, so
`--help` is quick and `render`, `check` and `fmt` never load torch.
"""

import argparse
import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from treesketch import __version__
from treesketch.errors import SketchError

if TYPE_CHECKING:
    from treesketch.batch import Drawn, Job
    from treesketch.tree import Node

T = TypeVar("T")
Number = TypeVar("Number", int, float)

MOST_PIXELS_A_SIDE = 8192  # the renderer's own limit, told before any work
INTERRUPTED = 130
_DEFAULT_TIME = "default 5 s; no limit with --renders"
_PROBLEM_FLAGS = ("problems", "seeds", "solver", "baseline")  # of eval, beside those for both
_PICTURE_FLAGS = ("ablation", "background", "seconds", "renders", "forms", "detail", "no_network")


class FlagError(Exception):
    """A flag that cannot be obeyed: exit code 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; arguments default to those of the process. Returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")  # a picture is one core's work; two threads a small matrix take longer
    try:
        options = _read_flags(words)
        code = options.run(options)
        sys.stdout.flush()
        return int(code)
    except FlagError as error:
        _say(f"treesketch {words[0]}: {error}")
        return 2
    except SketchError as error:
        _report(error)
        return 1
    except RecursionError:
        _say("treesketch: the input is nested too deeply; flatten it")
        return 1
    except KeyboardInterrupt:
        _say("treesketch: interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output went away: nothing is wrong with the input
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def run() -> int:
    """The process's entry: `main`, and an exit code that an interrupt cannot turn into death by signal.

    An interrupt while a library is being imported can leave CPython marked as interrupted, and it would kill itself at
    its exit; evaluating any text takes that mark away (run_eval_code_obj in its pythonrun.c).
    """
    code = main()
    if code == INTERRUPTED:
        exec("")
    return code


# --- commands -------------------------------------------------------------------------------------------------------


def draw(options: argparse.Namespace) -> int:
    """Write the program that draws a picture, or one program for each picture of a folder."""
    from treesketch.batch import Drawn, Job, list_pictures
    from treesketch.evaluate import measure_program
    from treesketch.files import write_whole
    from treesketch.syntax import unparse

    source, output = Path(options.picture), Path(options.output)
    _need_style(options.style)
    settings = _draw_settings(options, options.seconds, options.style)
    if source.is_dir():
        places = {picture: output / f"{picture.stem}.clj" for picture in list_pictures(source)}
        _make_folder(output, f"{source} is a folder")
    else:
        places = {source: _program_place(source, output)}
        _need_parent(output)

    failures, jobs = _drop_namesakes(places), [Job(picture, **settings) for picture in places]
    best: list[tuple[Node, float]] = []  # of a picture that is drawn alone
    results: list[tuple[Job, Drawn | SketchError]] = []
    try:
        for job, result in _draw_all(jobs, options.jobs, best):
            results.append((job, result))
            if not isinstance(result, Drawn):
                _report(result)
                failures += 1
                continue
            write_whole(places[job.picture], result.program)
            size = measure_program(result.program)
            costs = f"{size.forms} forms, {size.numbers} numbers, {result.renders} renders, {result.seconds:.1f} s"
            restored = "" if result.restored is None else f" ({result.restored:.4f} to the picture without its noise)"
            _say(f"{job.picture} -> {places[job.picture]}: rmse {result.rmse:.4f}{restored}, {costs}")
            if options.show:
                _show(result.program)
    except KeyboardInterrupt:
        if not best or results:
            raise
        tree, rmse = best[-1]
        if options.style:
            from treesketch.styles.restyle import restyle

            tree = restyle(tree, options.style)
        write_whole(places[source], unparse(tree))
        _say(f"interrupted; the best so far is in {places[source]}: rmse {rmse:.4f}")
        return INTERRUPTED
    if options.open:
        _open_page(results)
    return 1 if failures else 0


def _open_page(results: "Sequence[tuple[Job, Drawn | SketchError]]") -> None:
    """Show pictures, drawings and programs side by side, on a page in the browser."""
    import tempfile
    import webbrowser

    from treesketch.evaluate import measure, summarise
    from treesketch.report import write_page

    rows = [
        measure(result, job.picture, "pictures", "treesketch", background=job.background) for job, result in results
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".html", prefix="treesketch-", delete=False, encoding="utf-8") as file:
        file.write(write_page(rows, summarise(rows), "treesketch draw"))
    opened = webbrowser.open(Path(file.name).as_uri())
    _say(f"{'shown' if opened else 'open this page'}: {file.name}")


def import_svg(options: argparse.Namespace) -> int:
    """Write the program that an SVG file is, or one for each file of a folder or icon of a collection."""
    from treesketch.batch import bug, list_pictures
    from treesketch.evaluate import measure_program
    from treesketch.files import MOST_BYTES, read_bytes, write_whole
    from treesketch.importing import import_svg as read_svg
    from treesketch.importing.icons import MOST_BYTES as MOST_OF_ICONS
    from treesketch.importing.icons import read_icons

    source, output = Path(options.file), Path(options.output)
    icons: dict[Path, bytes] = {}
    if source.is_dir():
        places = {path: output / f"{path.stem}.clj" for path in list_pictures(source, (".svg",))}
        _make_folder(output, f"{source} is a folder")
    elif source.suffix.lower() == ".json":
        data = read_bytes(source, MOST_OF_ICONS, "split the collection")
        icons = {source / name: svg for name, svg in read_icons(data, str(source))}
        places = {path: output / f"{path.name}.clj" for path in icons}
        _make_folder(output, f"{source} holds many icons")
    else:
        places = {source: _program_place(source, output)}
        _need_parent(output)
    failures, warned, written = _drop_namesakes(places), 0, 0
    for path, place in _progress(places.items(), len(places), "importing"):
        try:
            svg = icons[path] if path in icons else read_bytes(path, MOST_BYTES, "simplify the drawing")
            found = read_svg(svg, str(path))
        except Exception as error:
            _report(error if isinstance(error, SketchError) else bug(error, str(path)))
            failures += 1
            continue
        for note in found.notes:
            _say(f"{path}:{note}")
        warned += bool(found.notes)
        if found.notes and options.strict:
            _report(SketchError("not written, for --strict allows no warning", file=str(path)))
            failures += 1
            continue
        write_whole(place, found.text)
        written += 1
        if path == source:
            size = measure_program(found.text)
            _say(f"{path} -> {place}: {size.forms} forms, {size.numbers} numbers")
    if source not in places:
        _say(f"wrote {written} of {len(places)} programs to {output}; {warned} with warnings")
    return 1 if failures else 0


def render(options: argparse.Namespace) -> int:
    """Draw a program as a PNG or an SVG."""
    from treesketch.dialects import NAMES, draw_picture, draw_scene, grammar_of
    from treesketch.files import write_whole

    program, output = Path(options.program), Path(options.output)
    kind = output.suffix.lower()
    if kind not in (".png", ".svg"):
        raise FlagError(f"-o must end in .png or .svg, got {output}")
    if kind == ".svg" and options.size:
        raise FlagError("--size is in pixels and an SVG has none; leave it out")
    grammar = options.grammar or grammar_of(program)
    if grammar not in ("sketch", *NAMES):
        raise FlagError(f"--grammar: nothing draws '{grammar}'{_did_you_mean(grammar, ('sketch', *NAMES))}")
    _need_parent(output)
    tree, errors = _read_tree(program, grammar)
    if tree is None or errors:
        return _report_all(errors)
    try:
        if kind == ".svg":
            from treesketch.svg import to_svg

            write_whole(output, to_svg(draw_scene(tree, grammar)))
        else:
            from treesketch.raster import write_png

            write_png(draw_picture(tree, grammar, options.size), output)
    except SketchError as error:
        error.file = error.file or str(program)
        raise
    return 0


def check(options: argparse.Namespace) -> int:
    """Name every mistake of every file."""
    from treesketch.dialects import grammar_of

    _need_grammar(options.grammar)
    errors: list[SketchError] = []
    for path in map(Path, options.files):
        errors += _read_tree(path, options.grammar or grammar_of(path))[1]
    if errors:
        return _report_all(errors)
    print(f"{len(options.files)} file{'s' if len(options.files) > 1 else ''}, no errors")
    return 0


def fmt(options: argparse.Namespace) -> int:
    """Lay files out in the one house style, in place; with --check, only name those that are not."""
    from treesketch.dialects import grammar_of
    from treesketch.files import read_program, write_whole
    from treesketch.language import load_language
    from treesketch.syntax import format_text

    _need_grammar(options.grammar)
    code = 0
    for path in map(Path, options.files):
        try:
            text = read_program(path)
            grammar = options.grammar or grammar_of(path)
            if options.simplify:
                tidy = _simplified(text, grammar, str(path))
            else:
                tidy = format_text(text, load_language(grammar), str(path))
            if tidy == text:
                continue
            if options.check:
                print(f"{path}: would be laid out anew")
                code = 1
            else:
                write_whole(path, tidy)
        except SketchError as error:
            _report(error)
            code = 1
    return code


def _simplified(text: str, grammar: str, file: str) -> str:
    """A program said more shortly. Raises SketchError where comments would be lost, or it cannot be drawn."""
    from treesketch.check import check as check_tree
    from treesketch.simplify import simplify
    from treesketch.syntax import parse, unparse

    if grammar != "sketch":
        raise SketchError(f"--simplify knows sketch alone, not '{grammar}'", file=file)
    if ";" in text or "#_" in text:
        raise SketchError("--simplify would lose its comments; take them out first", file=file)
    tree = parse(text, file=file)
    for error in check_tree(tree):
        error.file = file
        raise error
    try:
        return unparse(simplify(tree))
    except SketchError as error:
        error.file = error.file or file
        raise


def restyle(options: argparse.Namespace) -> int:
    """Write programs in another hand, in place or where -o says."""
    from treesketch.dialects import grammar_of
    from treesketch.files import read_program, write_whole
    from treesketch.styles import ORDERS
    from treesketch.styles.restyle import restyle_text

    _need_style(options.style)
    if options.order not in ORDERS:
        raise FlagError(f"no order '{options.order}'{_did_you_mean(options.order, ORDERS)}")
    paths = list(map(Path, options.files))
    places = {path: path for path in paths}
    if options.output:
        output = Path(options.output)
        if len(paths) > 1:
            _make_folder(output, "there are several programs")
        _need_parent(output)
        places = {path: output / path.name if output.is_dir() else output for path in paths}
    failures = _drop_namesakes(places)
    for path, place in places.items():
        try:
            if (grammar := grammar_of(path)) != "sketch":
                raise SketchError(f"restyle knows sketch alone, not '{grammar}'", file=str(path))
            text = read_program(path)
            written, loses = restyle_text(text, options.style, options.order, str(path))
            if loses and not options.output:
                message = "it would lose comments; take them out first, or write elsewhere with -o"
                raise SketchError(message, file=str(path))
            if loses:
                _say(f"{path}: only the comments above its first form are in {place}")
            if options.output or written != text:
                write_whole(place, written)
        except SketchError as error:
            _report(error)
            failures += 1
    return 1 if failures else 0


def _need_style(name: str | None) -> None:
    """Refuse a style that is not there; None is any."""
    from treesketch.styles import STYLES

    if name is not None and name not in STYLES:
        raise FlagError(f"no style '{name}'{_did_you_mean(name, STYLES)}")


def export(options: argparse.Namespace) -> int:
    """Write a program in another language, to a file or to the standard output."""
    from treesketch.export import DIALECTS
    from treesketch.export import export as write
    from treesketch.files import write_whole

    program = Path(options.program)
    if options.to not in DIALECTS:
        raise FlagError(f"--to takes {', '.join(DIALECTS)}; got '{options.to}'{_did_you_mean(options.to, DIALECTS)}")
    if options.output:
        _need_parent(Path(options.output))
    tree, errors = _read_tree(program, "sketch")
    if tree is None or errors:
        return _report_all(errors)
    try:
        text = write(tree, options.to, program.stem)
    except SketchError as error:
        error.file = error.file or str(program)
        raise
    if options.output:
        write_whole(Path(options.output), text)
    else:
        print(text, end="")
    return 0


def repl(options: argparse.Namespace) -> int:
    """Evaluate forms as they are typed and show the picture."""
    if options.nrepl:
        from treesketch.nrepl import serve

        return serve(options.port)
    from treesketch.repl import run_repl

    return run_repl(options.file)


def sample(options: argparse.Namespace) -> int:
    """Write random programs of a grammar: each parses, checks, ends and draws."""
    from treesketch.actions import MAX_BUDGET
    from treesketch.dialects import NAMES, draw_picture, suffix_of
    from treesketch.files import write_whole
    from treesketch.language import load_language
    from treesketch.raster import write_png
    from treesketch.syntax import unparse

    name, output = options.grammar, Path(options.output)
    _need_grammar(name)
    if options.problems and name not in NAMES:
        raise FlagError(f"--problems: '{name}' has none; there are those of --grammar {' and '.join(NAMES)}")
    if options.problems and options.weights != "none":
        raise FlagError("--problems and --weights exclude each other")
    language = load_language(name)
    least = language.minimum_size[language.start]
    if options.max_nodes < least:
        raise FlagError(f"--max-nodes: the shortest program of '{name}' has {least} nodes, got {options.max_nodes}")
    if options.max_nodes > MAX_BUDGET:
        raise FlagError(f"--max-nodes: at most {MAX_BUDGET} nodes are written, got {options.max_nodes}")
    if output.exists() and not output.is_dir():
        raise FlagError(f"-o must be a folder; {output} is a file")
    _need_parent(output)
    from treesketch.sample import sample_problems, sample_programs

    weights = None if options.weights == "none" else Path(options.weights)
    if options.problems:
        programs = sample_problems(name, options.n, options.seed)
    else:
        programs = sample_programs(language, options.n, options.seed, options.max_nodes, weights)
    output.mkdir(exist_ok=True)
    digits = max(4, len(str(options.n)))
    for number, tree in enumerate(_progress(programs, options.n, "sampling"), start=1):
        place = output / f"{number:0{digits}}{suffix_of(name)}"
        write_whole(place, unparse(tree, language))
        if name in NAMES:
            write_png(draw_picture(tree, name), place.with_suffix(".png"))
    _say(f"wrote {options.n} program{'s' if options.n > 1 else ''} to {output}")
    return 0


def train(options: argparse.Namespace) -> int:
    """Train a network as a config says."""
    _need_overrides(options.overrides)
    from treesketch.experiments import find_system

    config, resume = Path(options.config), Path(options.resume) if options.resume else None
    if system := find_system(config, options.overrides):
        from treesketch.experiments.loop import train_system

        train_system(system, config, options.overrides, resume)
        return 0
    from treesketch.train import train as run_training

    run_training(config, options.overrides, resume)
    return 0


def build_data(options: argparse.Namespace) -> int:
    """Write shards of pictures with their programs, as a config says; go on where a build was stopped."""
    _need_overrides(options.overrides)
    from treesketch.shards import store
    from treesketch.shards.build import prepare, read_config

    folder = Path(options.output)
    _need_parent(folder)
    if folder.exists() and not folder.is_dir():
        raise FlagError(f"-o must be a folder; {folder} is a file")
    config = read_config(Path(options.config), options.overrides)
    build = prepare(config, folder, [Path(name) for name in options.exclude])
    if build.manifest.shards:
        _say(f"{folder}: {len(build.manifest.shards)} of {build.manifest.parts} shards are there")
    for _ in _progress(build.run(options.jobs), len(build.missing), "building"):
        pass
    shards = build.manifest.shards
    dropped = store.total(counts for shard in shards for counts in shard.dropped.values())
    for name, count in sorted(store.total(shard.kept for shard in shards).items()):
        _say(f"{count} pairs of {name}")
    for reason, count in sorted(dropped.items(), key=lambda item: -item[1]):
        _say(f"{count} dropped: {reason}")
    size = sum(shard.bytes for shard in shards) / 1e6
    _say(f"wrote {sum(shard.rows for shard in shards)} pairs, {size:.1f} MB, in {len(shards)} shards to {folder}")
    return 0


def check_data(options: argparse.Namespace) -> int:
    """Read shards back: checksums, programs, and some pictures drawn again."""
    from treesketch.shards import store
    from treesketch.shards.verify import verify

    folder = Path(options.folder)
    manifest = store.read_manifest(folder)
    found = list(_progress(verify(folder, manifest, options.every, options.jobs), len(manifest.shards), "checking"))
    errors = [error for shard in found for error in shard.errors]
    if len(manifest.shards) < manifest.parts:
        missing = f"{manifest.parts - len(manifest.shards)} of {manifest.parts} shards are missing"
        errors.append(SketchError(f"{missing}; treesketch data build goes on", file=str(folder)))
    splits = store.total(shard.splits for shard in found)
    parts = ", ".join(f"{count} {split}" for split, count in sorted(splits.items()))
    _say(f"{sum(shard.rows for shard in found)} pairs ({parts}), {sum(shard.drawn for shard in found)} drawn again")
    return _report_all(errors) if errors else 0


def evaluate(options: argparse.Namespace) -> int:
    """Draw a folder of pictures, or solve the problems of a small language, and report how well."""
    from treesketch import evaluate as evaluation
    from treesketch.dialects import NAMES
    from treesketch.files import write_whole
    from treesketch.report import write_page

    if options.folder in NAMES:
        return _examine(options)
    _refuse(options, _PROBLEM_FLAGS, f"goes with problems: eval {' or '.join(NAMES)}")
    folder, output = Path(options.folder), Path(options.output or "report.html")
    _need_page(output)
    rows = evaluation.evaluate(
        folder,
        **_draw_settings(options, options.seconds[0] if options.seconds else None),
        seconds=options.seconds or (),
        processes=options.jobs,
        ablation=options.ablation,
        progress=_progress,
    )
    summaries = evaluation.summarise(rows)
    write_whole(output, write_page(rows, summaries, folder.resolve().name))
    evaluation.print_table(summaries)
    _say(f"report: {output}")
    return 1 if any(row.error is not None for row in rows) else 0


def _examine(options: argparse.Namespace) -> int:
    """Have the problems of a small language solved, and tell how many are with how many renders."""
    from treesketch import exam
    from treesketch.files import write_whole
    from treesketch.solving.problems import SIZE
    from treesketch.solving.solvers import CHOICES, READING

    grammar, weights = options.folder, Path(options.weights) if options.weights else None
    _refuse(options, _PICTURE_FLAGS, f"goes with pictures; a folder called {grammar} is ./{grammar}")
    if options.solver not in CHOICES:
        raise FlagError(f"no solver '{options.solver}'; there are: {', '.join(CHOICES)}")
    if weights and options.solver == READING:
        raise FlagError(f"--weights goes with --solver {' or '.join(name for name in CHOICES if name != READING)}")
    output = Path(options.output) if options.output else None
    if output:
        _need_page(output)
    seeds = range(options.seed, options.seed + (options.seeds or 1))
    tasks = exam.tasks(grammar, options.problems or SIZE, seeds, options.solver, weights, options.baseline)
    results: list[exam.Result] = []
    interrupted = False
    try:
        results += _progress(exam.examine(tasks, options.jobs), len(tasks), "solving")
    except KeyboardInterrupt:
        interrupted = True
    results.sort(key=lambda result: tasks.index(result.task))
    summaries = exam.summarise(results)
    if output:
        from treesketch.exam_page import write_page

        write_whole(output, write_page(results, summaries, grammar))
    exam.print_table(summaries)
    if output:
        _say(f"report: {output}")
    if len(results) < len(tasks):
        reason = "interrupted" if interrupted else "processes were killed, perhaps for lack of memory"
        _say(f"{reason}; these are {len(results)} of {len(tasks)} problems")
    return INTERRUPTED if interrupted else int(len(results) < len(tasks))


# --- flags ----------------------------------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """argparse with errors on one line and no guessing at abbreviated flags."""

    def __init__(self, **settings: Any):
        super().__init__(**settings, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _build_parser() -> tuple[_Parser, dict[str, _Parser]]:
    parser = _Parser(prog="treesketch", description="Give it a picture; it writes the Lisp program that draws it.")
    parser.add_argument("--version", action="version", version=f"treesketch {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=_Parser)
    table: dict[str, _Parser] = {}

    def command(name: str, run: Callable[[argparse.Namespace], int], help_line: str) -> _Parser:
        table[name] = commands.add_parser(name, help=help_line, description=f"{help_line[0].upper()}{help_line[1:]}.")
        table[name].set_defaults(run=run, name=name)
        return table[name]

    sub = command("draw", draw, "write the program that draws a picture, or each picture of a folder")
    sub.add_argument(
        "picture", metavar="PICTURE|FOLDER", help="a PNG, JPEG, WebP, GIF, BMP or SVG, or a folder of them"
    )
    sub.add_argument("-o", dest="output", metavar="PROGRAM.clj|FOLDER", required=True, help="where to write")
    sub.add_argument("--show", action="store_true", help="print the program and, on a terminal, its drawing")
    sub.add_argument("--open", action="store_true", help="show picture, drawing and program in the browser")
    sub.add_argument("--seconds", metavar="S", type=_seconds, help=f"time for a picture ({_DEFAULT_TIME})")
    _add_style_flag(sub, "default: as it is shortest")
    _add_draw_flags(sub)

    sub = command("import", import_svg, "write the program that an SVG file is, or each of a folder")
    sub.add_argument("file", metavar="FILE.svg|FOLDER", help="an SVG file, a folder of them, or an Iconify icons.json")
    sub.add_argument("-o", dest="output", metavar="PROGRAM.clj|FOLDER", required=True, help="where to write")
    sub.add_argument("--strict", action="store_true", help="take what a program cannot say for an error")

    sub = command("render", render, "draw a program as a PNG or an SVG")
    sub.add_argument("program", metavar="PROGRAM.clj")
    sub.add_argument("-o", dest="output", metavar="OUT.png|OUT.svg", required=True, help="where to write")
    sub.add_argument("--size", metavar="N", type=_size, help="longest side of the PNG in pixels (default: the canvas)")
    _add_grammar_flag(sub)

    sub = command("check", check, "name every mistake in programs")
    sub.add_argument("files", metavar="FILE", nargs="+")
    _add_grammar_flag(sub)

    sub = command("fmt", fmt, "lay programs out in the one house style")
    sub.add_argument("files", metavar="FILE", nargs="+")
    _add_grammar_flag(sub)
    sub.add_argument("--check", action="store_true", help="change nothing; exit 1 if a file would change")
    sub.add_argument("--simplify", action="store_true", help="say it more shortly, with loops and functions, too")

    sub = command("restyle", restyle, "write programs in another hand, the same picture")
    sub.add_argument("files", metavar="FILE", nargs="+")
    _add_style_flag(sub, "default %(default)s", "flat")
    sub.add_argument(
        "--order",
        metavar="paint|reading|largest",
        default="paint",
        help="which of two shapes that do not overlap comes first: as it is, from the top left on, the larger one",
    )
    sub.add_argument("-o", dest="output", metavar="OUT.clj|FOLDER", help="where to write (default: in place)")

    sub = command("export", export, "write a program for another tool: Quil, Processing, SVG")
    sub.add_argument("program", metavar="PROGRAM.clj")
    sub.add_argument("--to", metavar="DIALECT", required=True, help="quil, processing or svg")
    sub.add_argument("-o", dest="output", metavar="OUT", help="where to write (default: the standard output)")

    sub = command("repl", repl, "type forms and watch the picture")
    source = sub.add_mutually_exclusive_group()
    source.add_argument("file", metavar="FILE", nargs="?", help="a program to start from")
    source.add_argument("--nrepl", action="store_true", help="serve editors of Clojure instead, on this machine only")
    sub.add_argument("--port", metavar="N", type=_port, default=0, help="for --nrepl; by default a free one")

    sub = command("sample", sample, "write random programs of a grammar")
    sub.add_argument("-n", metavar="N", type=_count, required=True, help="how many")
    sub.add_argument(
        "-o",
        dest="output",
        metavar="FOLDER",
        required=True,
        help="where 0001.clj, 0002.clj go; or 0001.csg2d or .tinysvg, each with its .png",
    )
    sub.add_argument("--seed", metavar="K", type=_seed, default=0, help="where chance starts (default %(default)s)")
    sub.add_argument(
        "--grammar", metavar="NAME", default="sketch", help="a shipped one or a .lark file (default %(default)s)"
    )
    sub.add_argument(
        "--max-nodes", metavar="B", type=_count, default=200, help="tree nodes at most (default %(default)s)"
    )
    sub.add_argument(
        "--weights", metavar="none|FILE", default="none", help="let a network choose (default %(default)s)"
    )
    sub.add_argument(
        "--problems", action="store_true", help="those of published results: 2 to 8 shapes, no blank pictures"
    )

    sub = command("train", train, "train a network as a config says")
    sub.add_argument("config", metavar="CONFIG", help="a .toml file of configs/")
    sub.add_argument("overrides", metavar="key=value", nargs="*", help="change a value of the config")
    sub.add_argument("--resume", metavar="RUN", help="go on with the run in this folder")

    line = "make and check training data: build, check"
    table["data"] = commands.add_parser("data", help=line, description=f"{line.capitalize()}.")
    actions = table["data"].add_subparsers(metavar="build|check", required=True, parser_class=_Parser)

    def action(name: str, run: Callable[[argparse.Namespace], int], help_line: str) -> _Parser:
        words = f"data {name}"
        table[words] = actions.add_parser(name, help=help_line, description=f"{help_line[0].upper()}{help_line[1:]}.")
        table[words].set_defaults(run=run, name=words)
        return table[words]

    sub = action("build", build_data, "write shards of pictures with their programs, as a config says")
    sub.add_argument("config", metavar="CONFIG", help="a .toml file such as configs/data.toml")
    sub.add_argument("overrides", metavar="key=value", nargs="*", help="change a value of the config")
    sub.add_argument("-o", dest="output", metavar="FOLDER", required=True, help="where the shards go, or go on")
    sub.add_argument(
        "--exclude",
        metavar="FOLDER",
        action="append",
        default=[],
        help="pictures that nothing in the shards may look like; may be given more than once",
    )
    sub.add_argument("--jobs", metavar="J", type=_count, default=1, help="processes (default %(default)s)")
    sub = action("check", check_data, "read shards back: checksums, programs, and some pictures drawn again")
    sub.add_argument("folder", metavar="FOLDER", help="what treesketch data build wrote")
    sub.add_argument("--every", metavar="N", type=_count, default=50, help="draw each N-th again (default %(default)s)")
    sub.add_argument("--jobs", metavar="J", type=_count, default=1, help="processes (default %(default)s)")

    sub = command("eval", evaluate, "draw a folder of pictures, or solve a language's problems, and report how well")
    sub.add_argument(
        "folder",
        metavar="FOLDER|csg2d|tinysvg",
        help="pictures (PNG, SVG, ...), or a folder of them for each category; or a language with problems to solve",
    )
    sub.add_argument(
        "-o", dest="output", metavar="REPORT.html", help="(default report.html; for problems the table alone)"
    )
    sub.add_argument("--problems", metavar="N", type=_count, help="problems of each set to solve (default 256)")
    sub.add_argument(
        "--seeds", metavar="N", type=_count, help="times that each is solved, with other chance (default 1)"
    )
    sub.add_argument(
        "--solver",
        metavar="reading|network|both",
        default="reading",
        help="what solves them: parts read off the picture, a trained network, or what was read and the network edits",
    )
    sub.add_argument("--baseline", action="store_true", help="have hill climbing solve the problems too")
    sub.add_argument("--ablation", action="store_true", help="draw everything once more without the network")
    sub.add_argument(
        "--seconds",
        metavar="S,...",
        type=_times,
        help=f"time for a picture ({_DEFAULT_TIME}); several, such as 1,5,20, draw it in each",
    )
    _add_draw_flags(sub)
    return parser, table


def _add_style_flag(parser: argparse.ArgumentParser, otherwise: str, default: str | None = None) -> None:
    parser.add_argument(
        "--style",
        metavar="flat|named|looped|grouped",
        default=default,
        help=f"the hand: a form a shape, names for numbers, loops, or a function a part ({otherwise})",
    )


def _add_grammar_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--grammar",
        metavar="NAME",
        help="sketch, csg2d or tinysvg (default: as the name ends; sketch if it tells nothing)",
    )


def _refuse(options: argparse.Namespace, flags: Iterable[str], why: str) -> None:
    """Refuse flags of a command that were given, or that differ from what they are anyway."""
    parser = _build_parser()[1][options.name]
    for flag in flags:
        if getattr(options, flag) != parser.get_default(flag):
            raise FlagError(f"--{flag.replace('_', '-')} {why}")


def _need_page(path: Path) -> None:
    """Refuse an -o that names no HTML page, or one in a folder that is not there."""
    if path.suffix.lower() not in (".html", ".htm"):
        raise FlagError(f"-o must end in .html, got {path}")
    _need_parent(path)


def _need_grammar(name: str | None) -> None:
    """Refuse a grammar that is not there; None is any."""
    from treesketch.language import shipped_languages

    if name is not None and not name.endswith(".lark") and name not in shipped_languages():
        raise FlagError(f"no grammar '{name}'{_did_you_mean(name, shipped_languages())}")


def _add_draw_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--renders",
        metavar="N",
        type=_count,
        help="most drawings to judge; without --seconds time is then no limit, so that one seed gives one program",
    )
    parser.add_argument("--forms", metavar="N", type=_count, help="most shapes in a program")
    parser.add_argument(
        "--detail",
        metavar="D",
        type=_detail,
        help="how faithful: 2 spends up to twice the numbers of 1 (the default) and asks half of each; .5 is shorter",
    )
    parser.add_argument("--seed", metavar="K", type=_seed, default=0, help="where chance starts (default %(default)s)")
    parser.add_argument(
        "--jobs", metavar="J", type=_count, default=1, help="pictures drawn at once (default %(default)s)"
    )
    parser.add_argument(
        "--background",
        metavar="COLOR",
        type=_background,
        default=(255, 255, 255),
        help="what is behind a picture's alpha: a name, #rgb, #rrggbb or R,G,B (default white)",
    )
    parser.add_argument(
        "--no-network",
        action="store_true",
        help="propose from the picture's own regions only, and take it as it is, with its noise",
    )
    parser.add_argument("--weights", metavar="FILE", help="weights to use instead of the shipped ones")


def _draw_settings(options: argparse.Namespace, seconds: float | None, style: str | None = None) -> dict[str, Any]:
    """The fields of a `batch.Job` besides its picture; flags not given are left to the search's own defaults."""
    if options.no_network and options.weights:
        raise FlagError("--no-network and --weights exclude each other")
    if seconds is None and options.renders is not None:
        seconds = inf
    given = {"seconds": seconds, "renders": options.renders, "forms": options.forms, "seed": options.seed}
    given["style"] = style
    if options.detail is not None:
        from treesketch.search.draw import Options

        usual = Options()
        given |= {"numbers": max(1, round(usual.numbers * options.detail)), "price": usual.price / options.detail}
    return {
        "options": tuple((name, value) for name, value in given.items() if value is not None),
        "network": not options.no_network,
        "weights": Path(options.weights) if options.weights else None,
        "background": options.background,
    }


def _read_flags(words: list[str]) -> argparse.Namespace:
    parser, commands = _build_parser()
    if words and not words[0].startswith("-") and words[0] not in commands:
        parser.error(f"no command '{words[0]}'{_did_you_mean(words[0], commands)}")
    options, rest = parser.parse_known_args(words)
    if options.name in ("train", "data build") and not any(word.startswith("-") for word in rest):
        options.overrides, rest = options.overrides + rest, []  # argparse stops collecting them at --resume
    if rest:
        known = re.findall(r"(?<!\w)--?[a-z][\w-]*", commands[options.name].format_help())
        commands[options.name].error(f"no use for '{rest[0]}'{_did_you_mean(rest[0], known)}")
    return options


def _need_overrides(words: Sequence[str]) -> None:
    wrong = [word for word in words if not re.match(r"[A-Za-z_][\w.-]*=", word)]
    if wrong:
        raise FlagError(f"an override is key=value, got '{wrong[0]}'")


def _seconds(text: str) -> float:
    return _number(text, float, "a number of seconds above 0", lambda value: isfinite(value) and value > 0)


def _times(text: str) -> tuple[float, ...]:
    times = tuple(map(_seconds, text.split(",")))
    if len(set(times)) < len(times):
        raise argparse.ArgumentTypeError(f"takes different times, got '{text}'")
    return times


def _background(text: str) -> tuple[int, int, int]:
    from treesketch.picture import parse_color

    try:
        return parse_color(text)
    except ValueError:
        wanted = "a colour such as 'navy', '#f80', '#ff8800' or '255,128,0'"
        raise argparse.ArgumentTypeError(f"takes {wanted}, got '{text}'") from None


def _detail(text: str) -> float:
    return _number(text, float, "a number from 0.05 to 20", lambda value: 0.05 <= value <= 20)


def _count(text: str) -> int:
    return _number(text, int, "a whole number, 1 or more", lambda value: value >= 1)


def _port(text: str) -> int:
    return _number(text, int, "a port, 0 to 65535", lambda value: 0 <= value <= 65535)


def _seed(text: str) -> int:
    return _number(text, int, "a whole number, 0 or more", lambda value: 0 <= value < 2**63)


def _size(text: str) -> int:
    span = f"a whole number of pixels from 1 to {MOST_PIXELS_A_SIDE}"
    return _number(text, int, span, lambda value: 1 <= value <= MOST_PIXELS_A_SIDE)


def _number(text: str, kind: Callable[[str], Number], wanted: str, accept: Callable[[Number], bool]) -> Number:
    try:
        value = kind(text)
        if accept(value):
            return value
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"takes {wanted}, got '{text}'")


def _need_parent(path: Path) -> None:
    parent = path.absolute().parent
    if not parent.is_dir():
        raise FlagError(f"-o: there is no folder {path.parent}; make it first: mkdir -p {path.parent}")


def _make_folder(output: Path, reason: str) -> None:
    """Make the folder that -o names, where what is read needs one."""
    if output.exists() and not output.is_dir():
        raise FlagError(f"{reason}, so -o must be a folder; {output} is a file")
    _need_parent(output)
    output.mkdir(exist_ok=True)


def _program_place(source: Path, output: Path) -> Path:
    """Where the program for one picture goes."""
    from treesketch.picture import SUFFIXES

    place = output / f"{source.stem}.clj" if output.is_dir() else output
    if place.suffix.lower() in SUFFIXES:
        raise FlagError(f"-o names the program to write, such as {place.with_suffix('.clj')}, not a picture")
    return place


def _drop_namesakes(places: dict[Path, Path]) -> int:
    """Take out, and name, each file whose result would go where another's does. Returns how many."""
    taken: dict[Path, Path] = {}
    namesakes = [path for path, place in places.items() if taken.setdefault(place, path) != path]
    for path in namesakes:
        first = taken[places.pop(path)]
        _report(SketchError(f"{first.name} has the same name; rename one of them", file=str(path)))
    return len(namesakes)


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; there are: {', '.join(known)}"


# --- reading and telling --------------------------------------------------------------------------------------------


def _read_tree(path: Path, grammar: str) -> "tuple[Node | None, Sequence[SketchError]]":
    """A program's tree and every mistake in it; no tree where it does not parse."""
    from treesketch.check import check as check_tree
    from treesketch.files import read_program
    from treesketch.language import load_language
    from treesketch.syntax import parse

    try:
        tree = parse(read_program(path), load_language(grammar), str(path))
    except SketchError as error:
        return None, [error]
    mistakes = check_tree(tree)
    for mistake in mistakes:
        mistake.file = mistake.file or str(path)
    return tree, mistakes


def _draw_all(
    jobs: Sequence["Job"], processes: int, best: "list[tuple[Node, float]]"
) -> "Iterable[tuple[Job, Drawn | SketchError]]":
    """The results of all jobs; on a terminal with a bar, or with the error so far where there is one picture.

    Programs found for one picture, each better than the last, are put in `best` with their errors.
    """
    from treesketch.batch import draw_each

    if len(jobs) != 1:
        return _progress(draw_each(jobs, processes), len(jobs), "drawing")
    if not sys.stderr.isatty():
        return draw_each(jobs, progress=lambda tree, rmse: best.append((tree, rmse)))
    from rich.console import Console

    line = f"drawing {jobs[0].picture}"
    with Console(stderr=True).status(line) as status:

        def tell(tree: "Node", rmse: float) -> None:
            best.append((tree, rmse))
            status.update(f"{line}: rmse {rmse:.4f}")

        return list(draw_each(jobs, progress=tell))


def _progress(items: Iterable[T], total: int, doing: str) -> Iterable[T]:
    """The items, with a bar on a terminal while they are consumed; elsewhere silent."""
    if total < 2 or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description=doing, total=total, console=Console(stderr=True), transient=True)


def _show(program: str) -> None:
    """A program on standard output, and on a terminal its drawing under it."""
    from treesketch.interpreter import interpret
    from treesketch.syntax import parse
    from treesketch.terminal import choose_view, show

    print(program, end="", flush=True)
    if sys.stdout.isatty():
        show(interpret(parse(program)), choose_view(os.environ))


def _report_all(errors: Iterable[SketchError]) -> int:
    for error in errors:
        _report(error)
    return 1


def _report(error: SketchError) -> None:
    _say(str(error) if error.file else f"treesketch: {error}")


def _say(line: str) -> None:
    print(" ".join(line.split("\n")), file=sys.stderr, flush=True)
