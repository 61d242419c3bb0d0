"""Pictures that are not as they were drawn: with noise, the marks of compression, or blur; and what undoes that.

A picture's pixels in, its likely pixels before that out. `restore` says whether a picture needs it and does it, with
`network`; `spoil` does such things to clean pictures, for training.
"""
