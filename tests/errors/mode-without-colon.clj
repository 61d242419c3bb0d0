(ellipse-mode center)
