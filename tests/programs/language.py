"""Models of sequences: the word language model, and translation with attention."""

import math
import os
import random
import tempfile

import torch
import torch.nn as nn
import torch.nn.functional as F
from recording import program
from torch import optim
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

NTOKENS = 23


class RNNModel(nn.Module):
    """Container module with an encoder, a recurrent module, and a decoder."""

    def __init__(self, rnn_type, ntoken, ninp, nhid, nlayers, dropout=0.5, tie_weights=False):
        super().__init__()
        self.ntoken = ntoken
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(ntoken, ninp)
        if rnn_type in ["LSTM", "GRU"]:
            self.rnn = getattr(nn, rnn_type)(ninp, nhid, nlayers, dropout=dropout)
        else:
            nonlinearity = {"RNN_TANH": "tanh", "RNN_RELU": "relu"}[rnn_type]
            self.rnn = nn.RNN(ninp, nhid, nlayers, nonlinearity=nonlinearity, dropout=dropout)
        self.decoder = nn.Linear(nhid, ntoken)
        if tie_weights:
            if nhid != ninp:
                raise ValueError("When using the tied flag, nhid must be equal to emsize")
            self.decoder.weight = self.encoder.weight
        self.init_weights()
        self.rnn_type = rnn_type
        self.nhid = nhid
        self.nlayers = nlayers

    def init_weights(self):
        initrange = 0.1
        nn.init.uniform_(self.encoder.weight, -initrange, initrange)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -initrange, initrange)

    def forward(self, input, hidden):
        emb = self.drop(self.encoder(input))
        output, hidden = self.rnn(emb, hidden)
        output = self.drop(output)
        decoded = self.decoder(output)
        decoded = decoded.view(-1, self.ntoken)
        return F.log_softmax(decoded, dim=1), hidden

    def init_hidden(self, bsz):
        weight = next(self.parameters())
        if self.rnn_type == "LSTM":
            return (
                weight.new_zeros(self.nlayers, bsz, self.nhid),
                weight.new_zeros(self.nlayers, bsz, self.nhid),
            )
        return weight.new_zeros(self.nlayers, bsz, self.nhid)


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=50):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        pe = torch.zeros(max_len, d_model)
        position = torch.arange(0, max_len, dtype=torch.float).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
        pe[:, 0::2] = torch.sin(position * div_term)
        pe[:, 1::2] = torch.cos(position * div_term)
        pe = pe.unsqueeze(0).transpose(0, 1)
        self.register_buffer("pe", pe)

    def forward(self, x):
        x = x + self.pe[: x.size(0), :]
        return self.dropout(x)


class TransformerModel(nn.Transformer):
    """Container module with an encoder, a transformer encoder, and a decoder."""

    def __init__(self, ntoken, ninp, nhead, nhid, nlayers, dropout=0.5):
        super().__init__(d_model=ninp, nhead=nhead, dim_feedforward=nhid, num_encoder_layers=nlayers)
        self.model_type = "Transformer"
        self.src_mask = None
        self.pos_encoder = PositionalEncoding(ninp, dropout)
        self.input_emb = nn.Embedding(ntoken, ninp)
        self.ninp = ninp
        self.decoder = nn.Linear(ninp, ntoken)
        self.init_weights()

    def _generate_square_subsequent_mask(self, sz):
        return torch.log(torch.tril(torch.ones(sz, sz)))

    def init_weights(self):
        initrange = 0.1
        nn.init.uniform_(self.input_emb.weight, -initrange, initrange)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -initrange, initrange)

    def forward(self, src, has_mask=True):
        if has_mask:
            device = src.device
            if self.src_mask is None or self.src_mask.size(0) != len(src):
                mask = self._generate_square_subsequent_mask(len(src)).to(device)
                self.src_mask = mask
        else:
            self.src_mask = None
        src = self.input_emb(src) * math.sqrt(self.ninp)
        src = self.pos_encoder(src)
        output = self.encoder(src, mask=self.src_mask)
        output = self.decoder(output)
        return F.log_softmax(output, dim=-1)


#: the classes of the models that are saved whole
SAFE = [
    RNNModel,
    TransformerModel,
    PositionalEncoding,
    torch.nn.functional.relu,
    torch.nn.modules.activation.MultiheadAttention,
    torch.nn.modules.container.ModuleList,
    torch.nn.modules.dropout.Dropout,
    torch.nn.modules.linear.Linear,
    torch.nn.modules.linear.NonDynamicallyQuantizableLinear,
    torch.nn.modules.normalization.LayerNorm,
    torch.nn.modules.rnn.GRU,
    torch.nn.modules.rnn.LSTM,
    torch.nn.modules.rnn.RNN,
    torch.nn.modules.sparse.Embedding,
    torch.nn.modules.transformer.TransformerDecoder,
    torch.nn.modules.transformer.TransformerDecoderLayer,
    torch.nn.modules.transformer.TransformerEncoder,
    torch.nn.modules.transformer.TransformerEncoderLayer,
]


def batchify(data, bsz):
    nbatch = data.size(0) // bsz
    data = data.narrow(0, 0, nbatch * bsz)
    data = data.view(bsz, -1).t().contiguous()
    return data


def repackage_hidden(h):
    """Wraps hidden states in new Tensors, to detach them from their history."""
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


def get_batch(source, i, bptt=7):
    seq_len = min(bptt, len(source) - 1 - i)
    data = source[i : i + seq_len]
    target = source[i + 1 : i + 1 + seq_len].view(-1)
    return data, target


def word_language_model(record, model, lr=5.0, clip=0.25):
    ids = torch.tensor([(i * i + i // 3) % NTOKENS for i in range(600)]).type(torch.int64)
    train_data, val_data = batchify(ids, 4), batchify(ids[:100], 4)
    record.start(model=model)
    criterion = nn.NLLLoss()

    def evaluate(data_source):
        model.eval()
        total_loss = 0.0
        if not isinstance(model, nn.Transformer):
            hidden = model.init_hidden(4)
        with torch.no_grad():
            for i in range(0, data_source.size(0) - 1, 7):
                data, targets = get_batch(data_source, i)
                if isinstance(model, nn.Transformer):
                    output = model(data)
                    output = output.view(-1, NTOKENS)
                else:
                    output, hidden = model(data, hidden)
                    hidden = repackage_hidden(hidden)
                total_loss += len(data) * criterion(output, targets).item()
        return total_loss / (len(data_source) - 1)

    model.train()
    if not isinstance(model, nn.Transformer):
        hidden = model.init_hidden(4)
    for i in range(0, 140, 7):
        data, targets = get_batch(train_data, i)
        model.zero_grad()
        if isinstance(model, nn.Transformer):
            output = model(data)
            output = output.view(-1, NTOKENS)
        else:
            hidden = repackage_hidden(hidden)
            output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        for p in model.parameters():
            if p.grad is not None:
                p.data.add_(p.grad, alpha=-lr)
        record.loss(loss.item())
    val_loss = evaluate(val_data)
    record.note(val_loss=val_loss)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.pt")
        with open(path, "wb") as f:
            torch.save(model, f)
        with open(path, "rb") as f:
            with torch.serialization.safe_globals(SAFE):
                model = torch.load(f)
        if not isinstance(model, nn.Transformer):
            model.rnn.flatten_parameters()
    record.note(again=evaluate(val_data) == val_loss)
    input = torch.randint(NTOKENS, (1, 1), dtype=torch.long)
    words = []
    with torch.no_grad():
        if not isinstance(model, nn.Transformer):
            hidden = model.init_hidden(1)
        for _ in range(10):
            if isinstance(model, nn.Transformer):
                output = model(input, False)
                word_weights = output[-1].squeeze().div(1.0).exp().cpu()
                word_idx = torch.multinomial(word_weights, 1)[0]
                word_tensor = torch.Tensor([[word_idx]]).long()
                input = torch.cat([input, word_tensor], 0)
            else:
                output, hidden = model(input, hidden)
                word_weights = output.squeeze().div(1.0).exp().cpu()
                word_idx = torch.multinomial(word_weights, 1)[0]
                input.fill_(word_idx)
            words.append(int(word_idx))
    record.note(words=words)


@program
def words_by_lstm(record):
    word_language_model(record, RNNModel("LSTM", NTOKENS, 12, 16, 2, 0.2))


@program
def words_by_tied_gru(record):
    word_language_model(record, RNNModel("GRU", NTOKENS, 12, 12, 2, 0.2, tie_weights=True))


@program
def words_by_elman(record):
    word_language_model(record, RNNModel("RNN_TANH", NTOKENS, 12, 12, 1, 0.0), lr=1.0)


@program
def words_by_relu(record):
    word_language_model(record, RNNModel("RNN_RELU", NTOKENS, 12, 12, 2, 0.2), lr=1.0)


@program
def words_by_transformer(record):
    word_language_model(record, TransformerModel(NTOKENS, 16, 2, 20, 2, 0.2), lr=1.0)


# translation

SOS, EOS, MAX_LENGTH = 0, 1, 7


class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size, dropout_p=0.1):
        super(EncoderRNN, self).__init__()
        self.hidden_size = hidden_size
        self.embedding = nn.Embedding(input_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.dropout = nn.Dropout(dropout_p)

    def forward(self, input):
        embedded = self.dropout(self.embedding(input))
        output, hidden = self.gru(embedded)
        return output, hidden


class BahdanauAttention(nn.Module):
    def __init__(self, hidden_size):
        super(BahdanauAttention, self).__init__()
        self.Wa = nn.Linear(hidden_size, hidden_size)
        self.Ua = nn.Linear(hidden_size, hidden_size)
        self.Va = nn.Linear(hidden_size, 1)

    def forward(self, query, keys):
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys)))
        scores = scores.squeeze(2).unsqueeze(1)
        weights = F.softmax(scores, dim=-1)
        context = torch.bmm(weights, keys)
        return context, weights


class AttnDecoderRNN(nn.Module):
    def __init__(self, hidden_size, output_size, dropout_p=0.1):
        super(AttnDecoderRNN, self).__init__()
        self.embedding = nn.Embedding(output_size, hidden_size)
        self.attention = BahdanauAttention(hidden_size)
        self.gru = nn.GRU(2 * hidden_size, hidden_size, batch_first=True)
        self.out = nn.Linear(hidden_size, output_size)
        self.dropout = nn.Dropout(dropout_p)

    def forward(self, encoder_outputs, encoder_hidden, target_tensor=None):
        batch_size = encoder_outputs.size(0)
        decoder_input = torch.empty(batch_size, 1, dtype=torch.long).fill_(SOS)
        decoder_hidden = encoder_hidden
        decoder_outputs = []
        attentions = []
        for i in range(MAX_LENGTH):
            decoder_output, decoder_hidden, attn_weights = self.forward_step(
                decoder_input, decoder_hidden, encoder_outputs
            )
            decoder_outputs.append(decoder_output)
            attentions.append(attn_weights)
            if target_tensor is not None:
                decoder_input = target_tensor[:, i].unsqueeze(1)
            else:
                _, topi = decoder_output.topk(1)
                decoder_input = topi.squeeze(-1).detach()
        decoder_outputs = torch.cat(decoder_outputs, dim=1)
        decoder_outputs = F.log_softmax(decoder_outputs, dim=-1)
        return decoder_outputs, decoder_hidden, torch.cat(attentions, dim=1)

    def forward_step(self, input, hidden, encoder_outputs):
        embedded = self.dropout(self.embedding(input))
        query = hidden.permute(1, 0, 2)
        context, attn_weights = self.attention(query, encoder_outputs)
        input_gru = torch.cat((embedded, context), dim=2)
        output, hidden = self.gru(input_gru, hidden)
        return self.out(output), hidden, attn_weights


@program
def translation_with_attention(record):
    random.seed(5)
    sentences = [[random.randrange(2, 12) for _ in range(random.randrange(2, 6))] for _ in range(40)]
    source, target = torch.zeros(40, MAX_LENGTH).long(), torch.zeros(40, MAX_LENGTH).long()
    for i, words in enumerate(sentences):
        source[i, : len(words) + 1] = torch.tensor([*words, EOS])
        target[i, : len(words) + 1] = torch.tensor([*words[::-1], EOS])
    encoder, decoder = EncoderRNN(12, 16), AttnDecoderRNN(16, 12)
    record.start(encoder=encoder, decoder=decoder)
    encoder_optimizer = optim.Adam(encoder.parameters(), lr=0.01)
    decoder_optimizer = optim.Adam(decoder.parameters(), lr=0.01)
    criterion = nn.NLLLoss()
    for step in range(20):
        lines = torch.arange(8) + 8 * (step % 5)
        encoder_optimizer.zero_grad()
        decoder_optimizer.zero_grad()
        encoder_outputs, encoder_hidden = encoder(source[lines])
        forced = target[lines] if random.random() < 0.5 else None
        decoder_outputs, _, _ = decoder(encoder_outputs, encoder_hidden, forced)
        loss = criterion(decoder_outputs.view(-1, decoder_outputs.size(-1)), target[lines].view(-1))
        loss.backward()
        encoder_optimizer.step()
        decoder_optimizer.step()
        record.loss(loss.item())
    encoder.eval()
    decoder.eval()
    with torch.no_grad():
        outputs, _, attentions = decoder(*encoder(source[:2]))
        _, topi = outputs.topk(1)
    record.note(decoded=topi.squeeze(), attentions=attentions)


@program
def tagging_of_packed_sequences(record):
    class Tagger(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(12, 8, padding_idx=0)
            self.lstm = nn.LSTM(8, 10, num_layers=2, bidirectional=True, batch_first=True, dropout=0.1)
            self.fc = nn.Linear(20, 3)

        def forward(self, x, lengths):
            packed = pack_padded_sequence(self.embedding(x), lengths, batch_first=True, enforce_sorted=False)
            packed, (h, _c) = self.lstm(packed)
            out, out_lengths = pad_packed_sequence(packed, batch_first=True)
            assert out_lengths.tolist() == lengths.tolist()
            return self.fc(out), torch.cat((h[-2], h[-1]), dim=1)

    model = Tagger()
    record.start(model=model)
    optimizer = optim.RMSprop(model.parameters(), lr=0.01)
    for _ in range(20):
        lengths = torch.randint(2, 7, (5,))
        lines = [torch.randint(1, 12, (int(n),)) for n in lengths]
        x = pad_sequence(lines, batch_first=True)
        tags = pad_sequence([line % 3 for line in lines], batch_first=True, padding_value=-100)
        out, last = model(x, lengths)
        loss = F.cross_entropy(out.transpose(1, 2), tags) + 0.01 * last.pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        record.loss(loss.item())
    record.note(padding=model.embedding.weight[0].abs().sum().item())


class Seq2SeqTransformer(nn.Module):
    def __init__(self, vocab=14, emb_size=16):
        super().__init__()
        self.transformer = nn.Transformer(
            d_model=emb_size,
            nhead=2,
            num_encoder_layers=1,
            num_decoder_layers=1,
            dim_feedforward=24,
            dropout=0.1,
            batch_first=True,
        )
        self.generator = nn.Linear(emb_size, vocab)
        self.src_tok_emb = nn.Embedding(vocab, emb_size, padding_idx=0)
        self.tgt_tok_emb = nn.Embedding(vocab, emb_size, padding_idx=0)
        self.positional_encoding = PositionalEncoding(emb_size)
        for p in self.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)

    def embed(self, tokens, embedding):
        return self.positional_encoding(embedding(tokens).transpose(0, 1)).transpose(0, 1)

    def forward(self, src, trg, tgt_mask, src_padding_mask, tgt_padding_mask):
        outs = self.transformer(
            self.embed(src, self.src_tok_emb),
            self.embed(trg, self.tgt_tok_emb),
            None,
            tgt_mask,
            None,
            src_padding_mask,
            tgt_padding_mask,
            src_padding_mask,
        )
        return self.generator(outs)


@program
def translation_with_a_transformer(record):
    model = Seq2SeqTransformer()
    record.start(model=model)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.9, 0.98), eps=1e-9)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: min((s + 1) ** -0.5, (s + 1) * 8**-1.5))
    loss_fn = torch.nn.CrossEntropyLoss(ignore_index=0)
    for _ in range(20):
        src = torch.randint(1, 14, (4, 6))
        src[0, 4:] = 0
        tgt = torch.cat([torch.full((4, 1), 13), src.flip(1)], dim=1)
        tgt_input, tgt_out = tgt[:, :-1], tgt[:, 1:]
        size = tgt_input.shape[1]
        tgt_mask = (torch.triu(torch.ones((size, size))) == 1).transpose(0, 1)
        tgt_mask = tgt_mask.float().masked_fill(tgt_mask == 0, float("-inf")).masked_fill(tgt_mask == 1, 0.0)
        padding = (tgt_input == 0).float().masked_fill(tgt_input == 0, float("-inf"))
        src_padding = (src == 0).float().masked_fill(src == 0, float("-inf"))
        logits = model(src, tgt_input, tgt_mask, src_padding, padding)
        optimizer.zero_grad()
        loss = loss_fn(logits.reshape(-1, logits.shape[-1]), tgt_out.reshape(-1))
        loss.backward()
        optimizer.step()
        schedule.step()
        record.loss(loss.item())
    record.note(rate=schedule.get_last_lr())
