from maze import *
from tests import rope, rms
SHAPES = {'0.5b': (896, 4864, 24, 14, 2, 64, 151936, True), '1.5b': (1536, 8960, 28, 12, 2, 128, 151936, True), '7b': (3584, 18944, 28, 28, 4, 128, 152064, False), '32b': (5120, 27648, 64, 40, 8, 128, 152064, False)}
class Model:
    def __init__(self, name, t, k, ctx=1024, layers=None, std=0.02):
        H, I, L, nh, kv, D, V, tied = SHAPES[name]
        L = layers or L
        self.__dict__.update(name=name, t=t, k=k, ctx=ctx, H=H, I=I, L=L, nh=nh, kv=kv, D=D, V=V)
        self.cluster = 16
        self.kvt = torch.bfloat16 if t == 'bf16' else torch.float32
        Q = (nh + 2 * kv) * D; self.Q = Q
        f = lambda n: torch.rand(n, device=dev) + 0.5
        self.layers = [dict(n1=f(H), n2=f(H), qkv=make(t, Q, H, std), b=torch.randn(Q, device=dev) * 0.1, o=make(t, H, nh * D, std), gu=make(t, 2 * I, H, std), down=make(t, H, I, std),
                            k=torch.zeros(kv, ctx, D, device=dev, dtype=self.kvt), v=torch.zeros(kv, ctx, D, device=dev, dtype=self.kvt)) for _ in range(L)]
        self.emb = make(t, V, H, 1.0 if layers else std); self.head = self.emb if tied else make(t, V, H, std); self.nf = f(H)
        inv = 1e6 ** (-torch.arange(0, D, 2, device=dev).double() / D); ang = torch.arange(ctx, device=dev).double()[:, None] * inv
        self.cos, self.sin = ang.cos().float().contiguous(), ang.sin().float().contiguous()
        z = lambda n, dt=torch.float32: torch.zeros(n, device=dev, dtype=dt)
        self.x, self.qkv, self.att, self.act, self.logits = z(H), z(Q), z(nh * D), z(I), z(V)
        self.token, self.pos = z(1, torch.int32), z(1, torch.int32)
        self.bytes = sum(self.size(*s) for s in ([(Q, H), (H, nh * D), (2 * I, H), (H, I)] * L + [(V, H)]))
    def size(self, r, c): return r * pitch_of(self.t, c)
    def step(self, skip=(), **kw):
        k, t, H, I, D = self.k, self.t, self.H, self.I, self.D
        P = lambda w, r, c, *a, **q: None if q.pop('tag', None) in skip else k.product(t, w, pitch_of(t, c), r, c, *a, **{**q, **kw})
        k.embed(t, self.emb, pitch_of(t, H), H, self.token, self.x)
        for l in self.layers:
            P(l['qkv'], self.Q, H, self.x, self.qkv, l['n1'], l['b'], STORE, tag='qkv', size='big')
            if 'att' not in skip:
                k.attention('bf16' if self.kvt == torch.bfloat16 else 'f32', self.kv, cluster=self.cluster, qkv=self.qkv, qn=None, kn=None, cos=self.cos, sin=self.sin, keys=l['k'], values=l['v'], position=self.pos, output=self.att, context=self.ctx, eps=1e-6)
            P(l['o'], H, self.nh * D, self.att, self.x, None, None, ADD, tag='o', size='small')
            P(l['gu'], 2 * I, H, self.x, self.act, l['n2'], None, GATE, tag='gu', size='big')
            P(l['down'], H, I, self.act, self.x, None, None, ADD, tag='down', size='small')
        P(self.head, self.V, H, self.x, self.logits, self.nf, None, STORE, tag='head', size='big')
    def reference(self, tokens):
        """f64 logits after the last of tokens (KV rounded as the cache rounds)"""
        x = deq(self.t, self.emb, self.V, self.H)[tokens].double()
        n = len(tokens); G = self.nh // self.kv; D = self.D
        cos, sin = self.cos[:n].double(), self.sin[:n].double()
        m = torch.full((n, n), float('-inf'), device=dev, dtype=torch.float64).triu(1)
        for l in self.layers:
            h = rms(x, l['n1'].double()) @ deq(self.t, l['qkv'], self.Q, self.H).T + l['b'].double()
            q = rope(h[:, :self.nh * D].view(n, self.nh, D).transpose(0, 1), cos, sin)
            kk = rope(h[:, self.nh * D:(self.nh + self.kv) * D].view(n, self.kv, D).transpose(0, 1), cos, sin).to(self.kvt).double()
            v = h[:, (self.nh + self.kv) * D:].view(n, self.kv, D).transpose(0, 1).to(self.kvt).double()
            kk, v = kk.repeat_interleave(G, 0), v.repeat_interleave(G, 0)
            a = ((q @ kk.transpose(1, 2)) / math.sqrt(D) + m).softmax(-1) @ v
            x = x + a.transpose(0, 1).reshape(n, -1) @ deq(self.t, l['o'], self.H, self.nh * D).T
            g = rms(x, l['n2'].double()) @ deq(self.t, l['gu'], 2 * self.I, self.H).T
            x = x + (torch.nn.functional.silu(g[:, :self.I]) * g[:, self.I:]) @ deq(self.t, l['down'], self.H, self.I).T
        return rms(x[-1], self.nf.double()) @ deq(self.t, self.head, self.V, self.H).T
    def check(self):
        toks = [5, 77, 1234, 90, 4, 4000, 31, 8, 9, 10]
        torch.cuda.synchronize(); s = torch.cuda.Stream()
        with torch.cuda.stream(s):
            self.step(); s.synchronize()
            g = torch.cuda.CUDAGraph(); g.capture_begin(capture_error_mode='relaxed'); self.step(); g.capture_end()
            for i, tk in enumerate(toks):
                self.token.fill_(tk); self.pos.fill_(i); g.replay()
            s.synchronize()
        y = self.reference(toks); e = rel(self.logits, y)
        print('STEP', self.name, self.t, 'layers', self.L, f'rel err of logits {e:.2e}', 'argmax equal', (self.logits.argmax() == y.argmax()).item(), '' if e < 2e-2 else 'BAD', flush=True)
    def time(self, n=30, pos=512, **kw):
        torch.cuda.synchronize(); s = torch.cuda.Stream()
        with torch.cuda.stream(s):
            self.pos.fill_(pos); self.step(**kw); s.synchronize()
            g = torch.cuda.CUDAGraph(); g.capture_begin(capture_error_mode='relaxed'); self.step(**kw); g.capture_end()
            for _ in range(3): g.replay()
            s.synchronize(); ts = []
            for _ in range(5):
                a, b = torch.cuda.Event(True), torch.cuda.Event(True)
                a.record()
                for _ in range(n): g.replay()
                b.record(); s.synchronize(); ts.append(a.elapsed_time(b) * 1e3 / n)
        return sorted(ts)[2]
