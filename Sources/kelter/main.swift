print("kelter")
