"""Tiny look-alikes of every dataset: the true tree and names, a few playable files.

Each module has ``build(root) -> list[Made]``, which writes the dataset below ``root`` and tells what it wrote.
"""

from tests.fakes import (
    celeb_df_v2,
    dfdc,
    faceforensics,
    folder,
)

BUILDERS = {
    "folder": folder.build,
    "faceforensics": faceforensics.build,
    "celeb_df_v2": celeb_df_v2.build,
    "dfdc": dfdc.build,
}
