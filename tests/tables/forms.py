"""One table in every form that a reader takes."""

import csv
import gzip
import io

import polars as pl

#: Name of a form -> the name of its file. Text without quotes is read another way than text with them.
FORMS = {"plain": "p.csv", "quoted": "p.csv", "crlf": "p.csv", "gzip": "p.csv.gz", "parquet": "p.parquet"}


def save(folder, form, columns):
    """Write columns of text in one of ``FORMS``; the path."""
    path = folder / FORMS[form]
    path.unlink(missing_ok=True)  # some file systems take milliseconds to write over a file
    if form == "parquet":
        pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).write_parquet(path)
        return path
    stream = io.StringIO()
    end = "\r\n" if form == "crlf" else "\n"
    quoting = csv.QUOTE_ALL if form == "quoted" else csv.QUOTE_MINIMAL
    writer = csv.writer(stream, lineterminator=end, quoting=quoting)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    data = stream.getvalue().encode()
    path.write_bytes(gzip.compress(data) if form == "gzip" else data)
    return path


def place(form, row):
    """What a fault of a row, the first being 0, gives as its line or row."""
    return row + (1 if form == "parquet" else 2)
