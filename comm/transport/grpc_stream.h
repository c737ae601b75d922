// One bidirectional gRPC stream of frames: what the dialling and the listening side have in common.
//
// Frames are raw messages (grpc::ByteBuffer): a header of 64 bytes and a slice that lies over the
// sender's own memory. One message is written at a time, in order. Messages are read ahead up to a
// bound and wait in the inbox.
//
// Life: open → (frames) → ended → drained. Ended: nothing more will be received; said once to the
// listener. Drained: gRPC calls this object no more, and only then may it be destroyed. gRPC may
// hold slices over callers' memory even longer: they are counted (CountSlices). Everything here is
// called with the reactor's mutex held, and so is the listener.
#ifndef RM_COMM_TRANSPORT_GRPC_STREAM_H_
#define RM_COMM_TRANSPORT_GRPC_STREAM_H_

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "comm/transport/frame.h"
#include "comm/transport/grpc_reactor.h"

namespace rm::comm {

// The one method: /ringmaster.v1.Exchange/Connect, a bidirectional stream of frames.
extern const char kGrpcExchangeMethod[];

// A frame that waits to be written.
struct OutgoingFrame {
  FrameKind kind = FrameKind::kData;
  FrameTag tag;
  absl::Span<const char> payload;        // data: the caller's memory
  absl::optional<uint32_t> payload_crc;  // computed when it is written, where absent
  std::string text;                      // other kinds: the payload
};

class GrpcStream {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    // A frame that is not data.
    virtual void OnControl(GrpcStream& stream, const Frame& frame) = 0;
    // The last word. OK: the other side ended the stream in order.
    virtual void OnEnd(GrpcStream& stream, const absl::Status& status) = 0;
  };

  explicit GrpcStream(GrpcReactor& reactor) : reactor_(reactor) {}
  virtual ~GrpcStream();
  GrpcStream(const GrpcStream&) = delete;
  GrpcStream& operator=(const GrpcStream&) = delete;

  void set_listener(Listener* listener) { listener_ = listener; }

  // Who this side is; the frames that come must be from `to` to `from` of the same membership.
  void SetRoute(const FrameRoute& route) { route_ = route; }
  [[nodiscard]] const absl::optional<FrameRoute>& route() const { return route_; }

  // Where to count the slices over callers' memory that gRPC holds; it lets go of them on any of
  // its threads. REQUIRES: set before data is queued; the counter outlives its slices.
  void CountSlices(std::atomic<int>* slices_in_use) { slices_in_use_ = slices_in_use; }

  // Queues a frame. Data frames wait until ReleaseData; after Close nothing is taken any more.
  void Queue(OutgoingFrame frame);
  void ReleaseData();

  // Forgets queued data (its memory may go once the write in progress has ended), and reads without
  // bound and throws away what comes, so that the other side gets rid of its frames too.
  void Discard();

  // Frames wait to be written (the one that is being written not among them).
  [[nodiscard]] bool has_queued() const { return !outbox_.empty(); }
  // No frame is queued or being written.
  [[nodiscard]] bool written() const { return outbox_.empty() && !writing_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool drained() const { return ended_ && operations_ == 0; }

  // Received data, oldest first.
  [[nodiscard]] bool has_frame() const { return !inbox_.empty(); }
  [[nodiscard]] Frame TakeFrame();

  // Ends this side after all that is queued has been written: the dialling side says that it sends
  // no more and waits until the other has read everything, the listening side ends the stream with
  // `status` as the other's last word. The first call counts.
  void Close(const absl::Status& status);
  // Ends both sides at once; what is queued is dropped.
  void Cancel();

  [[nodiscard]] int64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] int64_t bytes_received() const { return bytes_received_; }

 protected:
  // An operation's tag that calls a method of the stream.
  template <typename Stream>
  class Operation final : public Completion {
   public:
    using Method = void (Stream::*)(bool ok);
    Operation(Stream* stream, Method method) : stream_(stream), method_(method) {}
    // Counts the operation as started and is its tag.
    Completion* Start() {
      ++stream_->operations_;
      return this;
    }
    void OnCompletion(bool ok) override {
      --stream_->operations_;
      (stream_->*method_)(ok);
    }

   private:
    Stream* stream_;
    Method method_;
  };

  // The stream is open: reading and writing begin.
  void Open(grpc::internal::AsyncReaderInterface<grpc::ByteBuffer>* reader,
            grpc::internal::AsyncWriterInterface<grpc::ByteBuffer>* writer);
  // Says the last word to the listener, once.
  void End(const absl::Status& status);
  // The other side sends no more: half-closed, broken or cancelled.
  virtual void OnReadsEnded() = 0;
  // All that was queued before Close has been written.
  virtual void Finish(const absl::Status& status) = 0;
  virtual void TryCancel() = 0;

  GrpcReactor& reactor_;

 private:
  void MaybeRead();
  void MaybeWrite();
  void MaybeFinish();
  void OnRead(bool ok);
  void OnWrite(bool ok);
  [[nodiscard]] absl::Status TakeMessage();
  [[nodiscard]] absl::Status CheckHeader(const FrameHeader& header, size_t message_bytes) const;
  [[nodiscard]] grpc::ByteBuffer MakeMessage(const OutgoingFrame& frame);
  [[nodiscard]] bool may_write() const;

  Listener* listener_ = nullptr;
  grpc::internal::AsyncReaderInterface<grpc::ByteBuffer>* reader_ = nullptr;
  grpc::internal::AsyncWriterInterface<grpc::ByteBuffer>* writer_ = nullptr;
  absl::optional<FrameRoute> route_;
  int operations_ = 0;  // started and not completed
  bool ended_ = false;
  absl::optional<absl::Status> closing_;
  bool finished_writing_ = false;

  std::deque<OutgoingFrame> outbox_;
  bool data_released_ = false;
  bool writing_ = false;
  bool write_failed_ = false;
  uint64_t next_sent_ = 0;
  int64_t bytes_sent_ = 0;
  std::atomic<int>* slices_in_use_ = nullptr;

  std::deque<Frame> inbox_;
  size_t inbox_bytes_ = 0;
  bool discarding_ = false;
  bool reading_ = false;
  absl::Status damage_;       // what was wrong with a message
  grpc::ByteBuffer message_;  // being read
  uint64_t next_received_ = 0;
  int64_t bytes_received_ = 0;

  Operation<GrpcStream> read_{this, &GrpcStream::OnRead};
  Operation<GrpcStream> write_{this, &GrpcStream::OnWrite};
};

// The dialling side.
class GrpcClientStream final : public GrpcStream {
 public:
  GrpcClientStream(GrpcReactor& reactor, const std::shared_ptr<grpc::Channel>& channel);

 private:
  void OnStarted(bool ok);
  void OnWritesDone(bool ok);
  void OnFinished(bool ok);
  void OnReadsEnded() override;
  void Finish(const absl::Status& status) override;
  void TryCancel() override { context_.TryCancel(); }

  grpc::GenericStub stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> call_;
  grpc::Status status_;
  Operation<GrpcClientStream> started_{this, &GrpcClientStream::OnStarted};
  Operation<GrpcClientStream> writes_done_{this, &GrpcClientStream::OnWritesDone};
  Operation<GrpcClientStream> finished_{this, &GrpcClientStream::OnFinished};
  friend class GrpcStream::Operation<GrpcClientStream>;
};

// The listening side.
class GrpcServerStream final : public GrpcStream {
 public:
  // Told when a caller has come (ok) or the server shuts down.
  class Acceptor {
   public:
    virtual ~Acceptor() = default;
    virtual void OnAccepted(GrpcServerStream& stream, bool ok) = 0;
  };

  // Waits for the next call.
  GrpcServerStream(GrpcReactor& reactor, grpc::AsyncGenericService& service, Acceptor& acceptor);

 private:
  void OnAccepted(bool ok);
  void OnFinished(bool ok);
  void OnReadsEnded() override;
  void Finish(const absl::Status& status) override;
  void TryCancel() override { context_.TryCancel(); }

  Acceptor& acceptor_;
  grpc::GenericServerContext context_;
  grpc::GenericServerAsyncReaderWriter call_{&context_};
  Operation<GrpcServerStream> accepted_{this, &GrpcServerStream::OnAccepted};
  Operation<GrpcServerStream> finished_{this, &GrpcServerStream::OnFinished};
  friend class GrpcStream::Operation<GrpcServerStream>;
};

}  // namespace rm::comm

#endif  // RM_COMM_TRANSPORT_GRPC_STREAM_H_
