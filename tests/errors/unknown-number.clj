(fill (sinus 1))
