"""Importing: tables as a mapping file says; calendars, mail, people and LinkedIn as they are."""
