"""Solving the problems of the small languages: a target picture in, the program that draws it out, renders counted."""
