from maze import *
def test_products(k):
    bad = 0
    for t in TYPES:
        for rows, kk, mode, normed in [(896, 896, STORE, True), (1152, 896, STORE, True), (896, 4864, ADD, False), (2 * 4864, 896, GATE, True), (3584, 3584, ADD, False), (4608, 3584, STORE, True), (2 * 1024, 18944, STORE, False), (640, 8192, STORE, True), (130, 1024, STORE, True), (20000, 1536, STORE, True)]:
            if t in ('q4k', 'q6k') and kk % 256: continue
            w = make(t, rows, kk); x = torch.randn(kk, device=dev) * (1 + 3 * torch.rand(kk, device=dev))
            outs = rows // 2 if mode == GATE else rows
            norm = torch.rand(kk, device=dev) + 0.5 if normed else None
            bias = torch.randn(rows, device=dev) * 0.1
            out = torch.randn(outs, device=dev) if mode == ADD else torch.full((outs,), float('nan'), device=dev)
            W = deq(t, w, rows, kk); xx = x.double()
            if normed: xx = xx * torch.rsqrt((xx * xx).mean() + 1e-6) * norm.double()
            y = W @ xx + bias.double()
            if mode == ADD: y += out.double()
            if mode == GATE: y = torch.nn.functional.silu(y[:outs]) * y[outs:]
            for split in ([0, 1, 8] if rows == 4608 else [0]):
                o = out.clone()
                k.product(t, w, pitch_of(t, kk), rows, kk, x, o, norm, bias, mode, split=split)
                torch.cuda.synchronize()
                e = rel(o, y)
                if not e < (2e-5 if t in ('bf16', 'f16') else 1e-4): bad += 1; print('BAD', end=' ')
                print(t, rows, kk, mode, split, f'{e:.1e}', end='; ')
        print(flush=True)
        # embed
        w = make(t, 300, 1024); tok = torch.tensor([217], device=dev, dtype=torch.int32); o = torch.zeros(1024, device=dev)
        k.embed(t, w, pitch_of(t, 1024), 1024, tok, o); torch.cuda.synchronize()
        e = rel(o, deq(t, w, 300, 1024)[217]); print('embed', t, e, '' if e < 1e-5 else 'BAD', flush=True); bad += not e < 1e-5
    return bad
def rope(x, cos, sin):
    h = x.shape[-1] // 2; a, b = x[..., :h], x[..., h:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], -1)
def rms(x, w, eps=1e-6): return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + eps) * w
def test_attention(k, kvh):
    bad = 0; D, G = k.D, k.G; ctx = 3000
    for kind, dt in (('bf16', torch.bfloat16), ('f32', torch.float32)):
        for pos in (0, 1, 5, 63, 64, 100, 511, 512, 2047, 2999):
            for normed in (False, True):
                
                keys = torch.full((kvh, ctx, D), float('nan'), device=dev, dtype=dt); values = keys.clone()
                keys[:, :pos] = torch.randn(kvh, pos, D, device=dev).to(dt); values[:, :pos] = torch.randn(kvh, pos, D, device=dev).to(dt)
                qkv = torch.randn((kvh * G + 2 * kvh) * D, device=dev) * 2
                qn, kn = (torch.rand(D, device=dev) + 0.5, torch.rand(D, device=dev) + 0.5) if normed else (None, None)
                inv = 1e6 ** (-torch.arange(0, D, 2, device=dev).double() / D); ang = torch.arange(ctx, device=dev).double()[:, None] * inv
                cos, sin = ang.cos().float(), ang.sin().float()
                out = torch.full((kvh * G * D,), float('nan'), device=dev); 
                p = torch.tensor([pos], device=dev, dtype=torch.int32)
                rk, rv = keys.clone(), values.clone()
                for rep in range(2):
                    k.attention(kind, kvh, qkv=qkv, qn=qn, kn=kn, cos=cos, sin=sin, keys=keys, values=values, position=p, output=out, context=ctx, eps=1e-6)
                torch.cuda.synchronize()
                x = qkv.double(); q = x[:kvh * G * D].view(kvh, G, D); kk = x[kvh * G * D:(kvh * G + kvh) * D].view(kvh, D); v = x[(kvh * G + kvh) * D:].view(kvh, D)
                if normed: q = rms(q, qn.double()); kk = rms(kk, kn.double())
                c, s = cos[pos].double(), sin[pos].double()
                q = rope(q, c, s); kk = rope(kk, c, s)
                rk[:, pos] = kk.to(dt); rv[:, pos] = v.to(dt)
                sc = torch.einsum('hgd,hpd->hgp', q, rk[:, :pos + 1].double()) / math.sqrt(D)
                y = torch.einsum('hgp,hpd->hgd', sc.softmax(-1), rv[:, :pos + 1].double()).reshape(-1)
                e = rel(out, y); ec = rel(keys[:, pos], rk[:, pos].double()); z = 0
                lim = 1e-3 if kind == 'bf16' else 1e-5
                if not (e < lim and ec < 5e-3 and z == 0): bad += 1; print('BAD attention', kind, pos, normed, e, ec, z, flush=True)
    print('attention', k.D, k.G, 'bad', bad, flush=True)
    return bad
LISTED, TILE = 64, 2048
class Digester:
    def __init__(self, k, width):
        self.k, self.width = k, width; self.tiles = -(-width // TILE)
        t = self.tiles
        z = lambda n, dt=torch.int64: torch.zeros(n, device=dev, dtype=dt)
        self.best, self.candidates, self.collected, self.sums = z(2 * t * 8), z(2 * 2048), z(2, torch.int32), z(5 * t, torch.float64)
        self.result = torch.zeros(2 * LISTED * 8 + 16 + 40 + 16, dtype=torch.uint8).pin_memory()
    def run(self, logits, mask, temp, u, listed, drawn, asked=-1):
        d = Digest(ptr(logits), ptr(mask), ptr(self.best), ptr(self.candidates), ptr(self.collected), ptr(self.sums), self.result.data_ptr(), u, 1.0 / temp if temp else 1.0, self.width, self.tiles, listed, drawn, asked)
        self.k.fn['survey']((self.tiles,), 256, 0, d)
        if listed or drawn: self.k.fn['weigh']((self.tiles,), 256, 0, d)
        self.k.fn['draw']((1,), 256, 0, d)
    def read(self):
        torch.cuda.synchronize()
        import struct
        b = bytes(self.result.numpy().tobytes())
        lists = struct.unpack('<128Q', b[:1024]); best = struct.unpack('<2Q', b[1024:1040]); sums = struct.unpack('<5d', b[1040:1080]); token, logit, self.c0, self.c1 = struct.unpack('<IfII', b[1080:1096])
        un = lambda e: ((~e) & 0xffffffff)
        return [[un(e) for e in l if e] for l in (lists[:64], lists[64:])], best, sums, token, logit
def test_digest(k):
    import numpy as np
    bad = 0
    for width, std in ((151936, 2.0), (152064, 0.3), (4096, 2.0), (300, 1.0), (151936, 0.0)):
        dg = Digester(k, width)
        for share in (1.0, 0.3, 0.0005):
            x = torch.randn(width, device=dev) * std + 0.0
            if std == 2.0: x[5] = float('nan'); x[width // 3] = float('-inf'); x = (x * 8).round() / 8 if share == 0.3 else x
            allowed = torch.rand(width, device=dev) < share
            allowed[7] = True
            pad = torch.zeros((-width) % 32, device=dev, dtype=torch.bool)
            bits = (torch.cat([allowed, pad]).view(-1, 32).long() << torch.arange(32, device=dev)).sum(1)
            mask = torch.where(bits >= 2 ** 31, bits - 2 ** 32, bits).int()
            for temp, u in ((1.0, 0.31), (0.7, 0.9999), (1.5, 0.0)):
                dg.run(x, mask, temp, u, 1, 1); lists, best, sums, token, logit = dg.read()
                xs = x.double().cpu().numpy(); a = allowed.cpu().numpy(); ok = np.isfinite(xs)
                ids = np.arange(width)
                if temp == 1.0: print('collected', width, std, share, dg.c0, dg.c1)
                for which, sel in ((0, ok), (1, ok & a)):
                    i = ids[sel]; o = i[np.lexsort((i, -xs[i]))][:64].tolist()
                    if o != lists[which] and (dg.c0, dg.c1)[which] <= 2048: bad += 1; print('BAD list', width, std, share, which, len(o), len(lists[which]), o[:5], lists[which][:5])
                m, ma = xs[ok].max(), xs[ok & a].max()
                w = np.where(ok, np.exp(np.where(ok, xs - m, 0)), 0); wa = np.where(ok & a, np.exp(np.where(ok, xs - ma, 0)), 0); ws = np.where(ok & a, np.exp(np.where(ok, xs - ma, 0) / temp), 0)
                dx = np.where(ok, xs - m, 0); dxa = np.where(ok & a, xs - ma, 0)
                ref = (w.sum(), (w * dx).sum(), wa.sum(), (wa * dxa).sum(), ws.sum())
                for i in range(5):
                    if abs(sums[i] - ref[i]) > 2e-6 * max(1e-3, abs(ref[i])): bad += 1; print('BAD sum', i, sums[i], ref[i])
                c = np.cumsum(ws); t = int(np.argmax(c > u * c[-1])); gap = np.abs(c - u * c[-1]).min() / c[-1]
                if t != token and gap > 1e-9: bad += 1; print('BAD draw', width, share, temp, u, t, token, gap)
                dg.run(x, mask, 0, u, 0, 0); _, b2, _, token, logit = dg.read()
                if token != lists[1][0] or abs(logit - xs[token]) > 1e-6: bad += 1; print('BAD greedy', token, lists[1][0], logit)
    print('digest bad', bad, flush=True)
    return bad
