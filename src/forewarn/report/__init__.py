"""The report page: one HTML file that shows what ``forewarn score`` found."""
