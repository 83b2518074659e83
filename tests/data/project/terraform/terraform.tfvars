from_tfvars = "x"
