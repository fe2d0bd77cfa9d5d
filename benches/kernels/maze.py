import ctypes as C, os, sys, time, glob, math, json
import torch
torch.manual_seed(1)
dev = torch.device('cuda:0')
torch.zeros(1, device=dev)
cu = C.CDLL('libcuda.so.1')
def ck(r, what=''):
    if r: raise RuntimeError(f'{what} error {r}')
def find_nvrtc():
    import site
    c = []
    for s in sys.path:
        c += glob.glob(s + '/nvidia/*/lib/libnvrtc.so.1*')
    c += glob.glob('/usr/local/cuda*/lib64/libnvrtc.so*') + glob.glob('/usr/local/cuda*/targets/*/lib/libnvrtc.so*')
    return [x for x in c if 'builtins' not in x and '.alt' not in x][0]
rt = C.CDLL(find_nvrtc())
HERE = os.path.dirname(os.path.abspath(__file__))
SRC = ''.join(open(f'{HERE}/{f}.cu').read() for f in ['common', 'product', 'attention', 'digest'])
def compile(D, G, extra=()):
    t = time.time()
    prog = C.c_void_p()
    ck(rt.nvrtcCreateProgram(C.byref(prog), SRC.encode(), b'maze.cu', 0, None, None), 'create')
    opts = [b'--gpu-architecture=sm_90', b'-std=c++17', f'-DHEAD_DIM={D}'.encode(), f'-DGROUP={G}'.encode()] + list(extra)
    arr = (C.c_char_p * len(opts))(*opts)
    r = rt.nvrtcCompileProgram(prog, len(opts), arr)
    n = C.c_size_t(); rt.nvrtcGetProgramLogSize(prog, C.byref(n)); log = C.create_string_buffer(n.value); rt.nvrtcGetProgramLog(prog, log)
    if r: print(log.value.decode()); raise SystemExit(1)
    ck(rt.nvrtcGetCUBINSize(prog, C.byref(n)), 'cubin'); b = C.create_string_buffer(n.value); ck(rt.nvrtcGetCUBIN(prog, b))
    m = C.c_void_p(); ck(cu.cuModuleLoadData(C.byref(m), b), 'load')
    print(f'compiled D={D} G={G} in {time.time()-t:.2f}s', flush=True)
    return m
class Attr(C.Structure): _fields_ = [('id', C.c_int), ('pad', C.c_int), ('value', C.c_uint * 3), ('rest', C.c_char * 52)]
class Config(C.Structure): _fields_ = [('grid', C.c_uint * 3), ('block', C.c_uint * 3), ('smem', C.c_uint), ('stream', C.c_void_p), ('attrs', C.POINTER(Attr)), ('n', C.c_uint)]
PDL = True
class Fn:
    def __init__(self, m, name):
        self.f = C.c_void_p(); ck(cu.cuModuleGetFunction(C.byref(self.f), m, name.encode()), name)
        self.name = name
    def smem(self, n): ck(cu.cuFuncSetAttribute(self.f, 8, n), 'attr')
    def __call__(self, grid, block, smem, *args, cluster=0):
        a = (Attr * 2)(); n = 0
        if PDL: a[n].id = 6; a[n].value[0] = 1; n += 1
        if cluster: a[n].id = 4; a[n].value[:] = (cluster, 1, 1); n += 1
        cfg = Config()
        g = tuple(grid) + (1,) * (3 - len(grid)); 
        cfg.grid[:] = g; cfg.block[:] = (block, 1, 1); cfg.smem = smem
        cfg.stream = torch.cuda.current_stream().cuda_stream
        cfg.attrs = C.cast(a, C.POINTER(Attr)); cfg.n = n
        ptrs = (C.c_void_p * len(args))(*[C.cast(C.pointer(x), C.c_void_p) for x in args])
        ck(cu.cuLaunchKernelEx(C.byref(cfg), self.f, ptrs, None), self.name)
class Product(C.Structure):
    _fields_ = [(n, C.c_void_p) for n in ['weights', 'bias', 'input', 'norm', 'output']] + [('pitch', C.c_uint64)] + \
        [(n, C.c_int) for n in ['rows', 'columns', 'mode']] + [('eps', C.c_float)] + [(n, C.c_int) for n in ['split', 'most', 'early']]
class Attention(C.Structure):
    _fields_ = [(n, C.c_void_p) for n in ['qkv', 'qn', 'kn', 'cos', 'sin', 'keys', 'values', 'position', 'output']] + [('context', C.c_int), ('eps', C.c_float)]
class Digest(C.Structure):
    _fields_ = [(n, C.c_void_p) for n in ['logits', 'mask', 'best', 'candidates', 'collected', 'sums', 'result']] + [('u', C.c_double), ('inv', C.c_float)] + [(n, C.c_int) for n in ['width', 'tiles', 'listed', 'drawn', 'asked']]
STORE, ADD, GATE = 0, 1, 2
SMS = 132
TYPES = {'bf16': (8, 16, 1, True), 'f16': (8, 16, 1, True), 'q4k': (256, 144, 8, True), 'q6k': (256, 210, 8, False), 'q80': (32, 34, 2, False)}
def input_bytes(t, k): return 4 * k if t in ('bf16', 'f16') else 2 * k + k // 32 * 4 + k // 16 * 4
TUNE = dict(grid=SMS, split=0, early=96 * 1024, big=0, small=0)
def plan(t, rows, k, gated, warps, nrows, deep, size=None, **kw):
    T = {**TUNE, **kw}
    cols, unit, lanes, aligned = TYPES[t]
    units = k // cols
    grid = T['grid']
    outputs = rows // 2 if gated else rows
    most = -(-outputs // grid) * (2 if gated else 1)
    rg = -(-most // nrows)
    best = None
    s = 1
    while s <= warps:
        if s <= units and warps % s == 0 and (not T['split'] or T['split'] == s or best is None):
            it = -(-(-(-units // s)) * lanes // 32)
            # a round costs its loads, and a latency
            cost = -(-rg // (warps // s)) * (-(-it // deep) * 8 + it * nrows + 2)
            if best is None or cost < best[0]: best = (cost, s)
        s *= 2
    split = best[1]
    return dict(split=split, most=most, early=T['early'], smem=max(T.get(size, 0), (input_bytes(t, k) + most * split * 4 + 15) // 16 * 16), grid=grid)
def ptr(x): return x.data_ptr() if x is not None else None
COMBOS = [(512, 3), (512, 2), (384, 3), (256, 3), (384, 2), (256, 2)]
def ring_plan(k, rows, cols, gated, grid=SMS, combos=None, split=0, **_):
    outputs = rows // 2 if gated else rows
    most = -(-outputs // grid) * (2 if gated else 1)
    limit = 226 * 1024 if grid <= SMS else 113 * 1024
    for threads, slots in combos or COMBOS:
        warps = threads // 32
        units = cols // 8; best = None; s = 1
        while s <= warps:
            if s <= units and (not split or s == split or best is None) and warps % s == 0:
                it = -(-(-(-units // s)) // 32)
                cost = -(-(-(-most // k.pair)) // (warps // s)) * (it * k.pair + -(-it // k.chunks) * 2 + 2)
                if best is None or cost < best[0]: best = (cost, s)
            s *= 2
        smem = warps * slots * k.pair * k.chunks * 512 + 4 * cols + (most * best[1] * 4 + 15) // 16 * 16
        if smem <= limit: return dict(threads=threads, slots=slots, split=best[1], most=most, smem=smem, grid=grid)
    raise RuntimeError('no ring')
class K:
    def __init__(self, D, G, threads=512, rows=4, ahead=2, qahead=2, resident=1, pair=2, chunks=4, ring=True):
        m = compile(D, G, [f'-D{n}={v}'.encode() for n, v in (('THREADS', threads), ('ROWS', rows), ('AHEAD', ahead), ('QAHEAD', qahead), ('RESIDENT', resident), ('PAIR', pair), ('CHUNKS', chunks))])
        self.__dict__.update(D=D, G=G, threads=threads, rows=rows, ahead=ahead, qahead=qahead, pair=pair, chunks=chunks, ring=ring)
        self.tag = f'threads {threads} rows {rows} ahead {ahead} {qahead} resident {resident} pair {pair} chunks {chunks}'
        self.fn = {n: Fn(m, n) for n in ['survey', 'weigh', 'draw', 'attention_bf16', 'attention_f32'] + [f'{a}_{t}' for a in ('product', 'embed') for t in TYPES] + [f'ring{s}_{t}' for s in (2, 3) for t in ('bf16', 'f16')]}
        for n, f in self.fn.items():
            if n.startswith('product') or n.startswith('ring'): f.smem(226 * 1024)
        for t in ('bf16', 'f32'): ck(cu.cuFuncSetAttribute(self.fn['attention_' + t].f, 14, 1), 'nonportable')
    def product(self, t, w, pitch, rows, k, x, out, norm=None, bias=None, mode=STORE, eps=1e-6, **kw):
        dense = t in ('bf16', 'f16')
        if dense and self.ring:
            p = ring_plan(self, rows, k, mode == GATE, **kw); early = 0; threads = p['threads']; f = f"ring{p['slots']}_{t}"
        else:
            p = plan(t, rows, k, mode == GATE, self.threads // 32, self.rows, self.ahead if dense else self.qahead, **kw); early = p['early']; threads = self.threads; f = 'product_' + t
        a = Product(ptr(w), ptr(bias), ptr(x), ptr(norm), ptr(out), pitch, rows, k, mode, eps, p['split'], p['most'], early)
        self.fn[f]((p['grid'],), threads, p['smem'], a)
    def embed(self, t, w, pitch, k, token, out):
        self.fn['embed_' + t]((8,), 256, 0, C.c_void_p(ptr(w)), C.c_uint64(pitch), C.c_int(k), C.c_void_p(ptr(token)), C.c_void_p(ptr(out)))
    def attention(self, kind, kvh, cluster=16, **kw):
        a = Attention(**{n: ptr(v) if isinstance(v, torch.Tensor) else v for n, v in kw.items()})
        self.fn['attention_' + kind]((cluster, kvh), 128, 0, a, cluster=cluster)
def pitch_of(t, k):
    cols, unit, _, _ = TYPES[t]; return k // cols * unit
def make(t, rows, k, std=0.02):
    """random matrix: (device bytes, reference f32 function)"""
    if t in ('bf16', 'f16'):
        w = torch.empty(rows, k, device=dev, dtype=torch.bfloat16 if t == 'bf16' else torch.float16)
        w.normal_(0, std)
        return w
    cols, unit, _, _ = TYPES[t]
    n = rows * (k // cols)
    b = torch.empty(n * unit + 512, device=dev, dtype=torch.uint8)
    b.random_(0, 256)
    v = b[:n * unit].view(n, unit)
    if t == 'q4k':
        h = v[:, 0:4].contiguous().view(torch.float16)
        h.uniform_(std / 100, std / 60); h[:, 1] *= 8
        v[:, 0:4] = h.view(torch.uint8)
    elif t == 'q6k':
        h = torch.empty(n, 1, device=dev, dtype=torch.float16).uniform_(std / 2000, std / 1000)
        v[:, 208:210] = h.view(torch.uint8)
    else:
        h = torch.empty(n, 1, device=dev, dtype=torch.float16).uniform_(std / 100, std / 60)
        v[:, 0:2] = h.view(torch.uint8)
    return b
def deq(t, b, rows, k):
    if t in ('bf16', 'f16'): return b.double()
    cols, unit, _, _ = TYPES[t]
    n = rows * (k // cols); v = b[:n * unit].view(n, unit)
    if t == 'q4k':
        h = v[:, 0:4].contiguous().view(torch.float16).double(); d, m = h[:, 0:1], h[:, 1:2]
        s = v[:, 4:16].int(); q = v[:, 16:].int().view(n, 4, 32)
        sc = torch.zeros(n, 8, device=dev, dtype=torch.int); mn = torch.zeros_like(sc)
        for j in range(8):
            if j < 4: sc[:, j] = s[:, j] & 63; mn[:, j] = s[:, j + 4] & 63
            else:
                sc[:, j] = (s[:, j + 4] & 15) | ((s[:, j - 4] >> 6) << 4)
                mn[:, j] = (s[:, j + 4] >> 4) | ((s[:, j] >> 6) << 4)
        qq = torch.stack([q & 15, q >> 4], 2).view(n, 8, 32)
        w = (d * sc)[:, :, None] * qq - (m * mn)[:, :, None]
    elif t == 'q6k':
        ql = v[:, :128].int(); qh = v[:, 128:192].int(); sc = v[:, 192:208].contiguous().view(torch.int8).double(); d = v[:, 208:210].contiguous().view(torch.float16).double()
        w = torch.zeros(n, 256, device=dev, dtype=torch.float64)
        for half in range(2):
            l = ql[:, half * 64:half * 64 + 64]; h = qh[:, half * 32:half * 32 + 32]
            a = [(l[:, :32] & 15) | ((h & 3) << 4), (l[:, 32:] & 15) | (((h >> 2) & 3) << 4), (l[:, :32] >> 4) | (((h >> 4) & 3) << 4), (l[:, 32:] >> 4) | (((h >> 6) & 3) << 4)]
            for j in range(4):
                s2 = sc[:, half * 8 + j * 2: half * 8 + j * 2 + 2].repeat_interleave(16, 1)
                w[:, half * 128 + j * 32: half * 128 + j * 32 + 32] = d * s2 * (a[j] - 32)
    else:
        w = v[:, 0:2].contiguous().view(torch.float16).double() * v[:, 2:].contiguous().view(torch.int8).double()
    return w.reshape(rows, k)
def rel(a, b): return ((a.double() - b).norm() / b.norm()).item()
def timeit(f, n=50, reps=3):
    """median us of f captured n times in a graph (f may rotate)"""
    torch.cuda.synchronize(); s = torch.cuda.Stream()
    with torch.cuda.stream(s):
        f(0); torch.cuda.synchronize()
        g = torch.cuda.CUDAGraph()
        g.capture_begin(capture_error_mode='relaxed')
        for i in range(n): f(i)
        g.capture_end()
        g.replay(); s.synchronize()
        ts = []
        for _ in range(reps):
            a, b = torch.cuda.Event(True), torch.cuda.Event(True)
            a.record(); g.replay(); b.record(); s.synchronize(); ts.append(a.elapsed_time(b) * 1e3 / n)
    return sorted(ts)[len(ts) // 2]
