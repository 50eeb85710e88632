"""How well the overlay sits on its objects: ways of drawing late results, side by side on truth."""
