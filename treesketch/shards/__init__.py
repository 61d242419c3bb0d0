"""Shards of pictures with their programs: `treesketch data build` makes them, training reads them.

`corpora` finds drawings and their licences, `drawings` makes programs of them, `likeness` knows pictures that nothing
may look like, `store` is the files, `build` and `verify` the commands; `scenes` gives the drawings to a training run.
"""
