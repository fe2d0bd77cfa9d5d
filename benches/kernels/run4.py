import maze; from maze import *; from tests import *; from step import *
t0 = time.time()
def note(s): print(f'[{time.time()-t0:.0f}s] {s}', flush=True)
V = [K(128, 7), K(128, 7, pair=4, chunks=2, threads=384, rows=2, qahead=2, resident=2), K(128, 7, pair=2, chunks=2, threads=384, rows=4, qahead=1, resident=2)]; W = [K(64, 7), K(64, 7, pair=4, chunks=2)]; k6 = V[0]; k15 = K(128, 6); k32 = K(128, 5)
note('compiled')
test_products(V[0]); test_products(V[1])
for k, kvh in ((W[0], 2), (V[0], 4), (k15, 2), (k32, 8)): test_attention(k, kvh)
test_digest(V[0])
Model('0.5b', 'bf16', W[0], layers=3).check(); Model('0.5b', 'q80', W[1], layers=3).check(); Model('7b', 'q4k', V[0], layers=2).check(); Model('7b', 'bf16', V[0], layers=1).check()
a = torch.empty(1 << 31, device=dev, dtype=torch.float32).normal_(); b = torch.empty_like(a)
ev = [torch.cuda.Event(True) for _ in range(2)]
for _ in range(3): b.copy_(a)
ev[0].record()
for _ in range(5): b.copy_(a)
ev[1].record(); torch.cuda.synchronize(); BW = 2 * 4 * a.numel() * 5 / ev[0].elapsed_time(ev[1]) * 1e3; print(f'copy {BW/1e12:.3f} TB/s', flush=True)
del a, b
m = Digester(k6, 152064); lg = torch.randn(152064, device=dev); mask = torch.full((4752,), -1, device=dev, dtype=torch.int32)
for l, d in ((0, 0), (0, 1), (1, 0), (1, 1)): print('digest', l, d, f'{timeit(lambda i: m.run(lg, mask, 0.8, 0.4, l, d), 50):.1f} us')
B = 118 * 1024; S = 92 * 1024
for name, t, kk in (('0.5b', 'bf16', W), ('1.5b', 'bf16', [k15]), ('7b', 'bf16', V), ('7b', 'q4k', V), ('32b', 'bf16', [k32])):
    m = Model(name, t, kk[0]); n = 30 if name != '32b' else 8
    floor = m.bytes / BW * 1e6
    for k in kk:
        m.k = k
        base = m.time(n)
        note(f'{name} {t} floor {floor:.0f} us: {k.tag}: step {base:.0f} us = {1e6/base:.0f} tok/s share {floor/base:.3f}')
        for kw in [dict(grid=264), dict(combos=[(256, 3), (256, 2)]), dict(split=1), dict(split=4)] if t == 'bf16' else [dict(grid=264), dict(grid=264, early=0), dict(grid=396), dict(big=B, small=S)]:
            try: print(f'   {kw}: {m.time(n, **kw):.0f}', end='', flush=True)
            except Exception as e: print(f'   {kw}: {e}', end='')
        m.cluster = 8; print(f'   cluster 8: {m.time(n):.0f}', flush=True); m.cluster = 16
    m.k = kk[0]
    maze.PDL = False; print(f'   no PDL {m.time(n):.0f}', end='', flush=True); maze.PDL = True
    for pos in (1, 1000): print(f'   pos {pos}: {m.time(n, pos=pos):.0f}', end='')
    for s in ('qkv', 'att', 'o', 'gu', 'down', 'head'): print(f'   without {s}: {m.time(n, skip=(s,)):.0f}', end='')
    print()
    if name == '7b':
        H, I = m.H, m.I
        for tag, r, c, mode, key in (('qkv', m.Q, H, STORE, 'qkv'), ('o', H, H, ADD, 'o'), ('gu', 2 * I, H, GATE, 'gu'), ('down', H, I, ADD, 'down')):
            for k in V:
                for kw in (dict(), dict(grid=264), dict(split=8)):
                    x = torch.randn(c, device=dev); o = torch.zeros(r, device=dev)
                    try: u = timeit(lambda i: k.product(t, m.layers[i % 28][key], pitch_of(t, c), r, c, x, o, None, None, mode, **kw), 28)
                    except Exception as e: continue
                    print(f'   {tag} {u:.1f} us {r*pitch_of(t, c)/u/1e6:.2f} TB/s', end=';')
            print(flush=True)
    del m; torch.cuda.empty_cache()
note('done')
