#include "base/lifecycle.h"

#include "base/text.h"

bool lifecycle_next(const struct lifecycle *lifecycle, int from, int event, int *ret_to) {
        for (size_t i = 0; i < lifecycle->n_transitions; i++) {
                const struct transition *transition = &lifecycle->transitions[i];

                if (transition->from == from && transition->event == event) {
                        *ret_to = transition->to;
                        return true;
                }
        }
        return false;
}

bool lifecycle_state(const struct lifecycle *lifecycle, const char *name, int *ret_state) {
        for (size_t i = 0; i < lifecycle->n_states; i++)
                if (text_equal(lifecycle->states[i], name)) {
                        *ret_state = (int) i;
                        return true;
                }
        return false;
}
