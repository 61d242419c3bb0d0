(stroke-cap :rund)
