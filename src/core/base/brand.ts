declare const brand: unique symbol

/** A `T` that only its parse functions can make: the brand exists in types, never at run time. */
export type Brand<T, B extends string> = T & { readonly [brand]: B }
