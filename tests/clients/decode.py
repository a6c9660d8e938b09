"""Reads base64 texts from a file and prints what Python's json module makes of each call."""

import base64
import json
import sys


def read(text):
    try:
        message = json.loads(base64.b64decode(text))
        call = {"method": message["method"], "name": message["params"]["name"], "arguments": message["params"].get("arguments")}
        return json.dumps(call, sort_keys=True)
    except Exception as error:  # whatever goes wrong is the answer
        return {"error": str(error)}


with open(sys.argv[1], encoding="ascii") as file:
    print(json.dumps([read(text) for text in json.load(file)]))
