def test_x(run_lecture):
    import time; t=time.process_time(); w=time.time()
    l=run_lecture("07_sizes_strides_receptive_fields", a="1")
    print(l.printed); print(l.complaints); print(time.time()-w)
