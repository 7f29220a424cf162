"""Power cuts that are real to a file system: a disk with a volatile cache, and what is left of it when the power goes.

- `device` is the disk: a FUSE file system with one file, under a loop device. It writes down every write and flush, in order.
- `journal` reads what it wrote down, and `images` makes of it what a power cut would have left, at any moment, as often as wanted.
- `volumes` formats, mounts and unmounts; `namespace` sees to it that nothing stays mounted.
- `crowd` talks and remembers what was acknowledged, and how far the journal was then; `verdict` compares that with an image.
- `trial` is the program: ``python -m tests.torture.disk.trial``.
"""
