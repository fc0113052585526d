"""What the endpoints accept, one module each. Unknown fields are ignored; known ones are honoured or refused."""
