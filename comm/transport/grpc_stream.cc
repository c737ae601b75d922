#include "comm/transport/grpc_stream.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/crc32c.h"
#include "base/status.h"
#include "comm/transport/transport.h"

namespace rm::comm {
namespace {

// Up to here a copy beside the header is cheaper than a slice of its own.
constexpr size_t kCopiedPayloadBytesMax = 1024;

// Written through: the write is done when the kernel has the bytes, not when gRPC has.
grpc::WriteOptions WriteThrough() { return grpc::WriteOptions().set_write_through(); }

// The codes are the same numbers.
absl::Status FromGrpc(const grpc::Status& status) {
  return absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
}

// gRPC puts the message into a header, which has a bound.
grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      std::string(status.message().substr(0, kFrameTextBytesMax)));
}

// The slices of one message, without the header that came first.
class SlicesPayload final : public FramePayload {
 public:
  explicit SlicesPayload(std::vector<grpc::Slice> slices) : slices_(std::move(slices)) {}

  void ForEachPiece(Visitor visit) const override {
    size_t skip = kFrameHeaderBytes;
    for (const grpc::Slice& slice : slices_) {
      const size_t skipped = std::min(skip, slice.size());
      skip -= skipped;
      if (skipped == slice.size()) continue;
      visit({reinterpret_cast<const char*>(slice.begin()) + skipped, slice.size() - skipped});
    }
  }

 private:
  std::vector<grpc::Slice> slices_;
};

// The first bytes of a message, as far as a header goes.
std::string HeaderBytes(const std::vector<grpc::Slice>& slices) {
  std::string bytes;
  for (const grpc::Slice& slice : slices) {
    const size_t wanted = std::min(kFrameHeaderBytes - bytes.size(), slice.size());
    bytes.append(reinterpret_cast<const char*>(slice.begin()), wanted);
    if (bytes.size() == kFrameHeaderBytes) break;
  }
  return bytes;
}

// Called by gRPC, on whatever thread, when it has let go of a payload that lies in our memory.
void ReleaseSlice(void* slices_in_use) {
  static_cast<std::atomic<int>*>(slices_in_use)->fetch_sub(1, std::memory_order_release);
}

// Computed once for a chunk that is passed on: the sender of the chunk may have it already.
uint32_t PayloadCrc(const OutgoingFrame& frame, absl::Span<const char> payload) {
  return frame.payload_crc.has_value() ? *frame.payload_crc
                                       : base::Crc32c(payload.data(), payload.size());
}

}  // namespace

const char kGrpcExchangeMethod[] = "/ringmaster.v1.Exchange/Connect";

// gRPC holds pointers into this object until its last operation has completed.
GrpcStream::~GrpcStream() {
  RM_CHECK(operations_ == 0, "destroyed while gRPC uses it");
}

// Frames after a close, after a failed write, or unwanted after a discard go nowhere.
void GrpcStream::Queue(OutgoingFrame frame) {
  const bool unwanted = discarding_ && frame.kind == FrameKind::kData;
  if (ended_ || write_failed_ || closing_.has_value() || unwanted) return;
  outbox_.push_back(std::move(frame));
  MaybeWrite();
}

// The stream ends with this status as soon as what was queued is written.
void GrpcStream::Close(const absl::Status& status) {
  if (closing_.has_value()) return;
  closing_ = status;
  MaybeFinish();
}

// Called wherever one of its conditions may have become true.
void GrpcStream::MaybeFinish() {
  if (!closing_.has_value() || finished_writing_ || !written() || ended_) return;
  finished_writing_ = true;
  Finish(*closing_);
}

// Every pending operation then completes with an error.
void GrpcStream::Cancel() {
  TryCancel();
  outbox_.clear();
  write_failed_ = true;
  Discard();
}

// Data waits until the peer has said welcome: before that it may be of another membership.
void GrpcStream::ReleaseData() {
  data_released_ = true;
  MaybeWrite();
}

// After a failure: no more data in either direction, so that control frames get through and buckets
// may be freed.
void GrpcStream::Discard() {
  discarding_ = true;
  inbox_.clear();
  inbox_bytes_ = 0;
  outbox_.erase(std::remove_if(outbox_.begin(), outbox_.end(),
                               [](const OutgoingFrame& f) { return f.kind == FrameKind::kData; }),
                outbox_.end());
  MaybeRead();
}

// Taking one makes room for the next: this is the back-pressure.
Frame GrpcStream::TakeFrame() {
  RM_CHECK(has_frame(), "no frame");
  Frame frame = std::move(inbox_.front());
  inbox_.pop_front();
  inbox_bytes_ -= frame.header.payload_bytes;
  MaybeRead();
  return frame;
}

// The call stands: both directions may begin.
void GrpcStream::Open(grpc::internal::AsyncReaderInterface<grpc::ByteBuffer>* reader,
                      grpc::internal::AsyncWriterInterface<grpc::ByteBuffer>* writer) {
  reader_ = reader;
  writer_ = writer;
  MaybeWrite();
  MaybeRead();
}

// Once; damage that we found ourselves explains more than the status that followed from it.
void GrpcStream::End(const absl::Status& status) {
  if (ended_) return;
  ended_ = true;
  if (listener_ != nullptr) listener_->OnEnd(*this, damage_.ok() ? status : damage_);
  outbox_.clear();
}

// One read at a time, and none while enough is waiting to be taken.
void GrpcStream::MaybeRead() {
  const bool full = inbox_bytes_ >= kReadAheadBytes && !discarding_;
  if (reader_ == nullptr || reading_ || ended_ || full) return;
  reading_ = true;
  reader_->Read(&message_, read_.Start());
}

// A read that fails is the end of the peer's side; why, the finish will say.
void GrpcStream::OnRead(bool ok) {
  reading_ = false;
  if (!ok) {
    reader_ = nullptr;
    OnReadsEnded();
    return;
  }
  if (damage_.ok()) damage_ = TakeMessage();
  if (damage_.ok()) {
    MaybeRead();
  } else {
    Cancel();
  }
}

// The payload stays in gRPC's slices: the receiver adds straight from them.
absl::Status GrpcStream::TakeMessage() {
  std::vector<grpc::Slice> slices;
  if (!message_.Dump(&slices).ok()) return absl::DataLossError("a message that cannot be read");
  const size_t message_bytes = message_.Length();
  message_.Clear();
  RM_ASSIGN_OR_RETURN(const FrameHeader header, ParseFrameHeader(HeaderBytes(slices)));
  RM_RETURN_IF_ERROR(CheckHeader(header, message_bytes));
  ++next_received_;
  Frame frame{header, std::make_unique<SlicesPayload>(std::move(slices))};
  if (header.kind != FrameKind::kData) {
    if (listener_ != nullptr) listener_->OnControl(*this, frame);
  } else if (!discarding_) {
    bytes_received_ += header.payload_bytes;
    inbox_bytes_ += header.payload_bytes;
    inbox_.push_back(std::move(frame));
  }
  return absl::OkStatus();
}

// Length, order and membership of every frame; the payload's CRC is checked in the pass that uses
// it.
absl::Status GrpcStream::CheckHeader(const FrameHeader& header, size_t message_bytes) const {
  if (message_bytes != kFrameHeaderBytes + header.payload_bytes) {
    return absl::DataLossError(
        absl::StrCat("damaged frame: a message of ", message_bytes, " bytes holds a payload of ",
                     header.payload_bytes, " by its header"));
  }
  if (header.sequence != next_received_) {
    return absl::DataLossError(absl::StrCat("frame ", header.sequence, " came where frame ",
                                            next_received_, " was due: frames were lost"));
  }
  if (!route_.has_value()) return absl::OkStatus();
  const FrameRoute expected = {route_->job, route_->generation, route_->to, route_->from};
  if (header.route == expected) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "a frame of another membership: from rank ", header.route.from, " to rank ", header.route.to,
      " in generation ", header.route.generation, ", due were rank ", expected.from, " to rank ",
      expected.to, " in generation ", expected.generation));
}

// Control frames may overtake nothing, but need no release.
bool GrpcStream::may_write() const {
  if (writer_ == nullptr || write_failed_ || writing_ || outbox_.empty()) return false;
  return data_released_ || outbox_.front().kind != FrameKind::kData;
}

void GrpcStream::MaybeWrite() {
  if (!may_write()) return;
  OutgoingFrame frame = std::move(outbox_.front());
  outbox_.pop_front();
  writing_ = true;
  writer_->Write(MakeMessage(frame), WriteThrough(), write_.Start());
}

// Small payloads are copied beside their header into one slice; large ones are lent to gRPC where
// they lie.
grpc::ByteBuffer GrpcStream::MakeMessage(const OutgoingFrame& frame) {
  const bool data = frame.kind == FrameKind::kData;
  const absl::Span<const char> payload = data ? frame.payload : absl::MakeSpan(frame.text);
  FrameHeader header;
  header.kind = frame.kind;
  header.tag = frame.tag;
  header.route = *route_;
  header.sequence = next_sent_++;
  header.payload_bytes = static_cast<uint32_t>(payload.size());
  header.payload_crc = PayloadCrc(frame, payload);
  if (data) bytes_sent_ += header.payload_bytes;
  const auto head = EncodeFrameHeader(header);
  if (!data || payload.size() <= kCopiedPayloadBytesMax) {
    std::string message(head.data(), head.size());
    message.append(payload.data(), payload.size());
    const grpc::Slice slice(message);
    return grpc::ByteBuffer(&slice, 1);
  }
  slices_in_use_->fetch_add(1, std::memory_order_relaxed);
  const grpc::Slice slices[] = {
      grpc::Slice(head.data(), head.size()),
      grpc::Slice(const_cast<char*>(payload.data()), payload.size(), &ReleaseSlice,
                  slices_in_use_)};
  return grpc::ByteBuffer(slices, 2);
}

// The next frame goes out as soon as the kernel has this one.
void GrpcStream::OnWrite(bool ok) {
  writing_ = false;
  if (!ok) {
    // Why it failed is said where the reads end.
    write_failed_ = true;
    outbox_.clear();
  }
  MaybeWrite();
  MaybeFinish();
}

// Waits for a peer that is not listening yet, instead of failing at once.
GrpcClientStream::GrpcClientStream(GrpcReactor& reactor,
                                   const std::shared_ptr<grpc::Channel>& channel)
    : GrpcStream(reactor), stub_(channel) {
  context_.set_wait_for_ready(true);
  call_ = stub_.PrepareCall(&context_, kGrpcExchangeMethod, reactor.queue());
  call_->StartCall(started_.Start());
}

void GrpcClientStream::OnStarted(bool ok) {
  if (ok) {
    Open(call_.get(), call_.get());
  } else {
    call_->Finish(&status_, finished_.Start());
  }
}

// A client has no status to give: it half-closes, and the server's status ends the call.
void GrpcClientStream::Finish(const absl::Status& /*status*/) {
  call_->WritesDone(writes_done_.Start());
}

void GrpcClientStream::OnWritesDone(bool /*ok*/) {}

void GrpcClientStream::OnReadsEnded() { call_->Finish(&status_, finished_.Start()); }

void GrpcClientStream::OnFinished(bool /*ok*/) { End(FromGrpc(status_)); }

// Ready for the next call that comes in; the acceptor makes another when it has.
GrpcServerStream::GrpcServerStream(GrpcReactor& reactor, grpc::AsyncGenericService& service,
                                   Acceptor& acceptor)
    : GrpcStream(reactor), acceptor_(acceptor) {
  service.RequestCall(&context_, &call_, reactor.queue(), reactor.queue(), accepted_.Start());
}

// A generic service takes any method: all but ours is refused.
void GrpcServerStream::OnAccepted(bool ok) {
  if (!ok) End(absl::CancelledError("the server is shutting down"));
  if (ok && context_.method() == kGrpcExchangeMethod) Open(&call_, &call_);
  if (ok && context_.method() != kGrpcExchangeMethod) {
    Close(absl::UnimplementedError(absl::StrCat("only ", kGrpcExchangeMethod, " is served here")));
  }
  acceptor_.OnAccepted(*this, ok);
}

void GrpcServerStream::Finish(const absl::Status& status) {
  call_.Finish(ToGrpc(status), finished_.Start());
}

// Half-closed after a goodbye, or broken: the owner knows which.
void GrpcServerStream::OnReadsEnded() { Close(absl::OkStatus()); }

void GrpcServerStream::OnFinished(bool /*ok*/) { End(absl::OkStatus()); }

}  // namespace rm::comm
