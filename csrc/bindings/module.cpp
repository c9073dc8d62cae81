#include "bindings/bindings.hpp"

PYBIND11_MODULE(_core, module) {
  module.doc() = "The compiled core of lprfast; use it through the package.";
  module.attr("version") = LPRFAST_VERSION;
  lprfast::bindings::register_errors(module);
  lprfast::bindings::register_core(module);
  lprfast::bindings::register_image(module);
  lprfast::bindings::register_ctc(module);
  lprfast::bindings::register_prior(module);
  lprfast::bindings::register_ort(module);
  lprfast::bindings::register_vote(module);
  lprfast::bindings::register_upscaler(module);
  lprfast::bindings::register_pipeline(module);
}
