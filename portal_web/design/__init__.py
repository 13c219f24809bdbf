"""One design language for every page: layout, components, style sheet, texts in two languages."""
