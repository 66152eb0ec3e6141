"""The hostile and awkward submissions: what they do, and the trial that looks what becomes of it.

Modules with attacks hold a dict SAMPLES each, by the name of the case: of `sample.Sample`, code or a changed notebook,
which is written to ``course/samples/hostile``; of `made.Made`, what is not kept as it is (pipes, bombs, odd names).
What must come out stands in ``course/samples/hostile/expected.csv``, written by hand before it was run.
"""
