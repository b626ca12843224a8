"""Tiny look-alikes of every dataset: the true tree and names, a few playable files.

Each module has ``build(root) -> list[Made]``, which writes the dataset below ``root`` and tells what it wrote.
"""

from tests.fakes import (
    asvspoof5,
    asvspoof2019_la,
    asvspoof2021_df,
    celeb_df_v1,
    celeb_df_v2,
    csv,
    deeperforensics,
    deepfakebench,
    df40,
    dfd,
    dfdc,
    dfdc_preview,
    faceforensics,
    fakeavceleb,
    folder,
    in_the_wild,
    uadfv,
    wild_deepfake,
)

BUILDERS = {
    "folder": folder.build,
    "csv": csv.build,
    "deepfakebench": deepfakebench.build,
    "faceforensics": faceforensics.build,
    "dfd": dfd.build,
    "deeperforensics": deeperforensics.build,
    "celeb_df_v1": celeb_df_v1.build,
    "celeb_df_v2": celeb_df_v2.build,
    "dfdc_preview": dfdc_preview.build,
    "dfdc": dfdc.build,
    "uadfv": uadfv.build,
    "fakeavceleb": fakeavceleb.build,
    "wild_deepfake": wild_deepfake.build,
    "df40": df40.build,
    "asvspoof2019_la": asvspoof2019_la.build,
    "asvspoof2021_df": asvspoof2021_df.build,
    "asvspoof5": asvspoof5.build,
    "in_the_wild": in_the_wild.build,
}
