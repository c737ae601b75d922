// The differences between oneDNN 2 and oneDNN 3 that our kernels meet, all of them.
//
// Debian 12 ships 2.6. oneDNN 3 dropped the separate operation descriptor and the scale of a
// post-op. May throw dnnl::error; included by the files that catch it.
#ifndef RM_KERNELS_CPU_ONEDNN_VERSION_H_
#define RM_KERNELS_CPU_ONEDNN_VERSION_H_

#include <dnnl.hpp>

namespace rm::kernels::cpu {

#if DNNL_VERSION_MAJOR >= 3

// The description of a forward primitive; `arguments` are the operation's, in oneDNN's order.
template <typename Primitive, typename... Arguments>
typename Primitive::primitive_desc MakeDescription(const dnnl::engine& engine,
                                                   const dnnl::primitive_attr& attributes,
                                                   const Arguments&... arguments) {
  return typename Primitive::primitive_desc(engine, arguments..., attributes);
}

// The description of a backward primitive; `hint` is that of its forward primitive.
template <typename Primitive, typename Hint, typename... Arguments>
typename Primitive::primitive_desc MakeBackwardDescription(const dnnl::engine& engine,
                                                           const dnnl::primitive_attr& attributes,
                                                           const Hint& hint,
                                                           const Arguments&... arguments) {
  return typename Primitive::primitive_desc(engine, arguments..., hint, attributes);
}

using PoolDims = dnnl::memory::dims;

// The description of a pool; oneDNN 3 knows dilations, of which ours have none.
template <typename Primitive>
typename Primitive::primitive_desc MakePoolDescription(
    const dnnl::engine& engine, const dnnl::primitive_attr& attributes, dnnl::prop_kind kind,
    dnnl::algorithm algorithm, const dnnl::memory::desc& x, const dnnl::memory::desc& y,
    const PoolDims& strides, const PoolDims& kernel, const PoolDims& begin, const PoolDims& end) {
  return typename Primitive::primitive_desc(engine, kind, algorithm, x, y, strides, kernel,
                                            PoolDims{0, 0}, begin, end, attributes);
}

template <typename Hint>
dnnl::pooling_backward::primitive_desc MakePoolGradientDescription(
    const dnnl::engine& engine, const dnnl::primitive_attr& attributes, const Hint& hint,
    dnnl::algorithm algorithm, const dnnl::memory::desc& x, const dnnl::memory::desc& y,
    const PoolDims& strides, const PoolDims& kernel, const PoolDims& begin, const PoolDims& end) {
  return dnnl::pooling_backward::primitive_desc(engine, algorithm, x, y, strides, kernel,
                                                PoolDims{0, 0}, begin, end, hint, attributes);
}

// Ends a primitive with max(y, 0).
inline void AppendRelu(dnnl::post_ops* post_ops) {
  post_ops->append_eltwise(dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
}

// Ends a primitive with factor · y.
inline void AppendFactor(float factor, dnnl::post_ops* post_ops) {
  post_ops->append_eltwise(dnnl::algorithm::eltwise_linear, factor, 0.0F);
}

#else

template <typename Primitive, typename... Arguments>
typename Primitive::primitive_desc MakeDescription(const dnnl::engine& engine,
                                                   const dnnl::primitive_attr& attributes,
                                                   const Arguments&... arguments) {
  return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), attributes,
                                            engine);
}

template <typename Primitive, typename Hint, typename... Arguments>
typename Primitive::primitive_desc MakeBackwardDescription(const dnnl::engine& engine,
                                                           const dnnl::primitive_attr& attributes,
                                                           const Hint& hint,
                                                           const Arguments&... arguments) {
  return typename Primitive::primitive_desc(typename Primitive::desc(arguments...), attributes,
                                            engine, hint);
}

using PoolDims = dnnl::memory::dims;

template <typename Primitive>
typename Primitive::primitive_desc MakePoolDescription(
    const dnnl::engine& engine, const dnnl::primitive_attr& attributes, dnnl::prop_kind kind,
    dnnl::algorithm algorithm, const dnnl::memory::desc& x, const dnnl::memory::desc& y,
    const PoolDims& strides, const PoolDims& kernel, const PoolDims& begin, const PoolDims& end) {
  return MakeDescription<Primitive>(engine, attributes, kind, algorithm, x, y, strides, kernel,
                                    begin, end);
}

template <typename Hint>
dnnl::pooling_backward::primitive_desc MakePoolGradientDescription(
    const dnnl::engine& engine, const dnnl::primitive_attr& attributes, const Hint& hint,
    dnnl::algorithm algorithm, const dnnl::memory::desc& x, const dnnl::memory::desc& y,
    const PoolDims& strides, const PoolDims& kernel, const PoolDims& begin, const PoolDims& end) {
  return MakeBackwardDescription<dnnl::pooling_backward>(engine, attributes, hint, algorithm, x, y,
                                                         strides, kernel, begin, end);
}

inline void AppendRelu(dnnl::post_ops* post_ops) {
  post_ops->append_eltwise(1.0F, dnnl::algorithm::eltwise_relu, 0.0F, 0.0F);
}

inline void AppendFactor(float factor, dnnl::post_ops* post_ops) {
  post_ops->append_eltwise(1.0F, dnnl::algorithm::eltwise_linear, factor, 0.0F);
}

#endif

}  // namespace rm::kernels::cpu

#endif  // RM_KERNELS_CPU_ONEDNN_VERSION_H_
