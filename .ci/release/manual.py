#!/usr/bin/env python3
"""Writes the manual page oriel(1) from what `oriel --experimental-dump-help` tells of its commands.

Usage: oriel --experimental-dump-help | .ci/release/manual.py VERSION SECONDS_SINCE_1970
"""

import datetime
import json
import sys

FILES = [
    ("/etc/oriel/oriel.yaml", "Settings, unless ./oriel.yaml exists or --config or ORIEL_CONFIG names another file."),
    ("~/.local/state/oriel", "The data folder, unless --data, ORIEL_DATA or the settings name another. As a systemd service: /var/lib/oriel."),
]
ENVIRONMENT = [
    ("ORIEL_DATA", "The data folder."),
    ("ORIEL_SERVER", "The server that questions go to."),
    ("ORIEL_*", "Every setting of oriel serve; oriel serve --print-config names them."),
    ("NO_COLOR", "No colours, whatever the terminal can."),
]
STATUS = [("0", "Success; what was asked for was found."), ("1", "An error."), ("2", "Wrong usage."), ("3", "Nothing was found.")]


def escape(text):
    """Text that no line or character of is a request of roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.split("\n"))


def paragraphs(text):
    """Running text, with indented lines kept as they are."""
    lines = []
    literal = False
    for line in text.split("\n"):
        is_literal = line.startswith("  ")
        if is_literal != literal:
            lines += [".PP", ".nf", ".RS 2"] if is_literal else [".RE", ".fi", ".PP"]
            literal = is_literal
        if line.strip():
            lines.append(escape(line.strip()))
        elif not literal and lines and lines[-1] != ".PP":
            lines.append(".PP")
    if literal:
        lines += [".RE", ".fi"]
    while lines and lines[-1] == ".PP":
        lines.pop()
    return lines


def option_name(name):
    return ("-" if name["kind"] == "short" else "--") + name["name"]


def tagged(argument):
    """An argument as a tag and what it is for."""
    value = f" \\fI{escape(argument.get('valueName', 'value'))}\\fR"
    if argument["kind"] == "positional":
        tag = value.strip() + (" ..." if argument["isRepeating"] else "")
    else:
        names = sorted(argument["names"], key=lambda name: name["kind"] != "short")
        tag = ", ".join(f"\\fB{escape(option_name(name))}\\fR" for name in names) + (value if argument["kind"] == "option" else "")
    text = argument.get("abstract", "")
    if argument.get("allValues"):
        text += f" One of {', '.join(argument['allValues'])}."
    if argument.get("defaultValue"):
        text += f" Default: {argument['defaultValue']}."
    return [".TP", tag, *(escape(line) for line in (text or "\u00a0").split("\n"))]


def synopsis(path, command):
    """The command line of one command."""
    words = [f"\\fB{escape(' '.join(path))}\\fR"]
    arguments = shown(command)
    if any(argument["kind"] != "positional" for argument in arguments):
        words.append("[\\fIoptions\\fR]")
    for argument in arguments:
        if argument["kind"] == "positional":
            word = f"\\fI{escape(argument.get('valueName', 'value'))}\\fR" + (" ..." if argument["isRepeating"] else "")
            words.append(f"[{word}]" if argument["isOptional"] else word)
    return " ".join(words)


def shown(command):
    """All arguments but the two that every command has."""
    return [
        argument for argument in command.get("arguments", [])
        if argument.get("shouldDisplay", True) and argument.get("valueName") not in ("help", "version")
    ]


def leaves(command, path=()):
    """Every command that does something, with the words that call it."""
    path = (*path, command["commandName"])
    below = [each for each in command.get("subcommands", []) if each["commandName"] != "help" and each.get("shouldDisplay", True)]
    for each in below:
        yield from leaves(each, path)
    if not below:
        yield path, command


def main():
    version, seconds = sys.argv[1:]
    date = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%d")
    root = json.load(sys.stdin)["command"]
    commands = list(leaves(root))
    lines = [f'.TH ORIEL 1 "{date}" "Oriel {escape(version)}" "Oriel"', ".SH NAME"]
    lines.append(f"oriel \\- {escape(root['abstract'].rstrip('.').lower())}")
    lines.append(".SH SYNOPSIS")
    for path, command in commands:
        lines += [synopsis(path, command), ".br"]
    lines += ["\\fBoriel \\-\\-version\\fR", ".SH DESCRIPTION", *paragraphs(root.get("discussion", ""))]
    lines.append(".SH COMMANDS")
    for path, command in commands:
        lines += [f".SS {escape(' '.join(path))}", escape(command.get("abstract", ""))]
        if command.get("discussion"):
            lines += [".PP", *paragraphs(command["discussion"])]
        for argument in shown(command):
            lines += tagged(argument)
    for title, entries in (("EXIT STATUS", STATUS), ("ENVIRONMENT", ENVIRONMENT), ("FILES", FILES)):
        lines.append(f".SH {title}")
        for tag, text in entries:
            lines += [".TP", f"\\fB{escape(tag)}\\fR", escape(text)]
    print("\n".join(lines))


main()
