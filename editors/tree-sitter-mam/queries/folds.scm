[(block) (body) (record) (list)] @fold
