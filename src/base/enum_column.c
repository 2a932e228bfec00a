#include "base/enum_column.h"

#include "base/text.h"

bool enum_column_find(const struct enum_column *column, const char *text, int *ret_index) {
        if (!text)
                return false;
        if (column->lifecycle)
                return lifecycle_state(column->lifecycle, text, ret_index);
        for (int i = 0; column->texts[i]; i++)
                if (text_equal(column->texts[i], text)) {
                        *ret_index = i;
                        return true;
                }
        return false;
}

const char *enum_column_text(const struct enum_column *column, int index) {
        return column->lifecycle ? column->lifecycle->states[index] : column->texts[index];
}
