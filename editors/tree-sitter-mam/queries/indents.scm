[(block) (body) (record) (list) (arguments)] @indent
["}" "]" ")"] @outdent
