"""Pictures that are not as they were drawn: with noise, the marks of compression, or blur; and what undoes that.

A picture's pixels in, its likely pixels before that out. `noise` says whether a picture needs it, `network` is what
undoes it, `spoil` does such things to clean pictures, for training.
"""
