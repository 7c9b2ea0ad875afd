"""A journal in the forms that people and other programs read: one module for each.

    summary   how many of which verdict, and why        in a terminal
    csv       one line a file, safe to open             in a spreadsheet
    parquet   the same columns                          for analysis (extra `arrow`)
    html      one page that works offline               for a moderator, in Kazakh, Russian and English
    sarif     findings                                  for code scanning and CI

Text from files is escaped in all of them.
"""
