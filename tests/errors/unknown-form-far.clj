(zzyzx 1)
