"""What Django's own aggregates do not do alike on SQLite and PostgreSQL."""

from typing import Any

from django.db.models import Aggregate, TextField


class JoinedJSON(Aggregate):
    """The JSON values of a column as text, with commas between them; None of no rows."""

    function = "GROUP_CONCAT"
    name = "JoinedJSON"
    output_field = TextField()

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """PostgreSQL aggregates text only, and needs to be told the separator."""
        template = "STRING_AGG((%(expressions)s)::text, ',')"
        return super().as_sql(compiler, connection, template=template, **context)
