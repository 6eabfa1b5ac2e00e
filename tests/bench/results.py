"""The measured parts of RESULTS.md, between markers; what people wrote outside stays."""
import os
import platform
import re
import time

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'RESULTS.md')


def replaced(results, title, text):
    begin, end = f'<!-- measured: {title} -->', f'<!-- end: {title} -->'
    block = f'{begin}\n## {title}\n\n{text}{end}'
    if begin in results:
        return re.sub(re.escape(begin) + '.*?' + re.escape(end), lambda _: block, results, flags=re.S)
    return results + block + '\n\n'


def record(title, table, runs, where):
    note = (f'{time.strftime("%Y-%m-%d")}, {os.cpu_count()} processors, Linux {platform.release().split("-")[0]}, {where}'
            f'{f", medians of {runs}" if runs else ""}.\n\n')
    with open(PATH) as file:
        results = file.read()
    with open(PATH, 'w') as file:
        file.write(replaced(results, title, note + table))
